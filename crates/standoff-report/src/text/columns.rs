//! Rows in columns that fit.

use super::line::{Ink, Line, WIDTH, cut_end, cut_path, width};

/// Who, call, place, and a last one.
pub(crate) type Cells = [(Ink, String); 4];

/// Cells as columns, narrowed where they do not fit after `indent`.
pub(crate) fn align(mut rows: Vec<Cells>, indent: usize) -> Vec<Line> {
    const GAP: usize = 3;
    /// Which column gives way first, and down to what.
    const GIVE: [(usize, usize); 6] = [(3, 20), (2, 24), (1, 20), (0, 20), (2, 8), (1, 8)];
    // A row whose later cells are empty may run on over them.
    let open = |row: &Cells, col: usize| row[col + 1..].iter().all(|cell| cell.1.is_empty());
    let mut widths = [0; 4];
    for row in &rows {
        for (col, cell) in row.iter().enumerate() {
            if col == 0 || !open(row, col) || col == 3 {
                widths[col] = widths[col].max(width(&cell.1));
            } else if col == 2 {
                widths[col] = widths[col].max(width(&cell.1).min(40));
            }
        }
    }
    let total = |w: &[usize; 4]| w.iter().filter(|&&n| n > 0).map(|n| n + GAP).sum::<usize>();
    let room = WIDTH - indent + GAP;
    // The MPI procedure beside the user's call is the first to go.
    let optional = rows
        .iter()
        .all(|row| row[3].0 == Ink::Dim || row[3].1.is_empty());
    if total(&widths) > room && optional {
        widths[3] = 0;
        rows.iter_mut().for_each(|row| row[3].1.clear());
    }
    for (col, floor) in GIVE {
        let excess = total(&widths).saturating_sub(room);
        widths[col] = widths[col]
            .saturating_sub(excess)
            .max(floor.min(widths[col]));
    }
    rows.iter()
        .map(|row| {
            let mut line = Line::new();
            for (col, (ink, text)) in row.iter().enumerate() {
                let last = open(row, col);
                let used = line.width();
                if text.is_empty() && last || widths[col] == 0 && !last {
                    continue;
                }
                if col == 3 && widths[3] == 0 {
                    continue;
                }
                let max = if last {
                    WIDTH.saturating_sub(indent + used)
                } else {
                    widths[col]
                };
                let text = if col == 2 {
                    cut_path(text, max)
                } else {
                    cut_end(text, max)
                };
                let pad = if last { 0 } else { max - width(&text) + GAP };
                line = line.ink(*ink, &text).space(pad);
            }
            line.cut(WIDTH - indent)
        })
        .collect()
}
