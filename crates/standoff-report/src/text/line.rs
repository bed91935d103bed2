//! Lines of styled text: measured, cut, wrapped, and only then written.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthChar;

use super::Color;

/// Columns that no composed line goes beyond.
pub(crate) const WIDTH: usize = 80;

/// What a piece of text is; its looks follow from that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    Plain,
    /// Words of a verdict or mark of an error.
    Error,
    Warning,
    Help,
    Note,
    /// Agents.
    Agent,
    /// Lines that draw, numbers at the margin.
    Rule,
    /// Of less interest.
    Dim,
}

impl Ink {
    fn style(self) -> Style {
        let colour = |c: AnsiColor| Style::new().bold().fg_color(Some(c.into()));
        match self {
            Ink::Plain => Style::new(),
            Ink::Error => colour(AnsiColor::BrightRed),
            Ink::Warning => colour(AnsiColor::BrightYellow),
            Ink::Help => colour(AnsiColor::BrightGreen),
            Ink::Note => colour(AnsiColor::BrightCyan),
            Ink::Agent => Style::new().bold(),
            Ink::Rule => colour(AnsiColor::BrightBlue),
            Ink::Dim => Style::new().dimmed(),
        }
    }
}

/// One line, or a text still to be wrapped.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line(Vec<(Ink, String)>);

impl Line {
    pub(crate) fn new() -> Self {
        Line::default()
    }

    pub(crate) fn plain(text: &str) -> Self {
        Line::new().ink(Ink::Plain, text)
    }

    /// This and `text`.
    pub(crate) fn ink(mut self, ink: Ink, text: &str) -> Self {
        match self.0.last_mut() {
            Some((last, known)) if *last == ink => known.push_str(&clean(text)),
            _ => self.0.push((ink, clean(text))),
        }
        self
    }

    pub(crate) fn space(self, n: usize) -> Self {
        self.ink(Ink::Plain, &" ".repeat(n))
    }

    pub(crate) fn then(mut self, other: &Line) -> Self {
        self.0.extend(other.0.iter().cloned());
        self
    }

    pub(crate) fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| width(text)).sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|(_, text)| text.is_empty())
    }

    /// Cut to `max` columns, the last of them `…` if anything was cut.
    pub(crate) fn cut(self, max: usize) -> Self {
        if self.width() <= max {
            return self;
        }
        let mut left = max;
        let mut line = Line::new();
        for (ink, text) in self.0 {
            let n = width(&text);
            if n < left {
                left -= n;
                line.0.push((ink, text));
            } else {
                line.0.push((ink, cut_end(&format!("{text}…"), left)));
                break;
            }
        }
        line
    }

    /// The text without its looks.
    pub(crate) fn text(&self) -> String {
        let pieces = self.0.iter().map(|(_, text)| text.as_str());
        pieces.collect::<String>().replace(NO_BREAK, " ")
    }

    /// Wrapped at [`WIDTH`]: the first line starts with `first`, the others with `rest`. A word wider than a line is broken anywhere.
    pub(crate) fn wrap(&self, first: Line, rest: &Line) -> Vec<Line> {
        self.lay(first, rest, true)
    }

    /// The same, but a word wider than a line goes beyond its end.
    pub(crate) fn wrap_words(&self, first: Line, rest: &Line) -> Vec<Line> {
        self.lay(first, rest, false)
    }

    fn lay(&self, first: Line, rest: &Line, breaks: bool) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut line = first;
        let mut fresh = true;
        for word in self.words() {
            let needed = word.width() + usize::from(!fresh);
            if !fresh && line.width() + needed > WIDTH {
                lines.push(std::mem::replace(&mut line, rest.clone()));
                fresh = true;
            }
            if !fresh {
                let ink = match (line.0.last(), word.0.first()) {
                    (Some((before, _)), Some((after, _))) if before == after => *after,
                    _ => Ink::Plain,
                };
                line = line.ink(ink, " ");
            }
            for (ink, text) in word.0 {
                let mut text = text.as_str();
                while breaks && line.width() + width(text) > WIDTH {
                    let room = WIDTH.saturating_sub(line.width());
                    let at = byte_at(text, room);
                    line = line.ink(ink, &text[..at]);
                    text = &text[at..];
                    lines.push(std::mem::replace(&mut line, rest.clone()));
                }
                line = line.ink(ink, text);
            }
            fresh = false;
        }
        lines.push(line);
        lines
    }

    /// Split at spaces; `rank 5` and the like stay together.
    fn words(&self) -> Vec<Line> {
        let mut words: Vec<Line> = Vec::new();
        let mut open = false;
        for (ink, text) in &self.0 {
            for (i, piece) in bind(text).split(' ').enumerate() {
                if i > 0 {
                    open = false;
                }
                if piece.is_empty() {
                    continue;
                }
                let glue = !open
                    && piece.starts_with(|c: char| c.is_ascii_digit())
                    && words.last().is_some_and(Line::takes_number);
                match words.last_mut() {
                    Some(word) if open => word.0.push((*ink, piece.to_owned())),
                    Some(word) if glue => {
                        word.0.push((*ink, format!(" {piece}")));
                    }
                    _ => words.push(Line(vec![(*ink, piece.to_owned())])),
                }
                open = true;
            }
        }
        words
    }

    fn takes_number(&self) -> bool {
        const NOUNS: [&str; 7] = ["rank", "ranks", "tag", "thread", "threads", "world", "line"];
        matches!(&self.0[..], [(_, word)] if NOUNS.contains(&word.trim_start_matches('(')))
    }

    fn write(&self, color: Color, out: &mut impl Write) -> io::Result<()> {
        let mut pieces: Vec<(Ink, &str)> = self.0.iter().map(|(i, t)| (*i, t.as_str())).collect();
        while let Some((_, last)) = pieces.last_mut() {
            *last = last.trim_end();
            if !last.is_empty() {
                break;
            }
            pieces.pop();
        }
        for (ink, piece) in pieces {
            let style = ink.style();
            let piece = piece.replace(NO_BREAK, " ");
            if color == Color::Never || style.is_plain() || piece.trim().is_empty() {
                write!(out, "{piece}")?;
            } else {
                write!(out, "{style}{piece}{style:#}")?;
            }
        }
        writeln!(out)
    }
}

/// A space that no line is broken at.
const NO_BREAK: char = '\u{a0}';

/// Short pieces between backquotes, such as commands to copy, are kept on one line.
fn bind(text: &str) -> String {
    const MAX: usize = 64;
    let mut bound = String::new();
    for (i, piece) in text.split('`').enumerate() {
        if i > 0 {
            bound.push('`');
        }
        if i % 2 == 1 && width(piece) <= MAX {
            bound.push_str(&piece.replace(' ', &NO_BREAK.to_string()));
        } else {
            bound.push_str(piece);
        }
    }
    bound
}

/// Lines in order; never two blank ones in a row, none at the ends.
#[derive(Debug, Default)]
pub(crate) struct Page(Vec<Line>);

impl Page {
    pub(crate) fn push(&mut self, line: Line) {
        self.0.push(line);
    }

    pub(crate) fn extend(&mut self, lines: impl IntoIterator<Item = Line>) {
        self.0.extend(lines);
    }

    pub(crate) fn blank(&mut self) {
        if self.0.last().is_some_and(|line| !line.is_empty()) {
            self.0.push(Line::new());
        }
    }

    pub(crate) fn write(mut self, color: Color, out: &mut impl Write) -> io::Result<()> {
        while self.0.last().is_some_and(Line::is_empty) {
            self.0.pop();
        }
        self.0.iter().try_for_each(|line| line.write(color, out))
    }
}

/// Columns of a text. The sum over its characters: never less than what a terminal takes.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(1)).sum()
}

/// Text that cannot move the cursor, change colours or reorder what stands beside it.
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .filter(|c| !matches!(c, '\u{200d}' | '\u{fe0e}' | '\u{fe0f}'))
        .map(|c| match c {
            '\n' | '\r' | '\t' => ' ',
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '�',
            '\u{2028}' | '\u{2029}' | '\u{85}' => ' ',
            c if c.is_control() => '�',
            c => c,
        })
        .collect()
}

/// `text` cut at its end to `max` columns.
pub(crate) fn cut_end(text: &str, max: usize) -> String {
    if width(text) <= max {
        return text.to_owned();
    }
    if max == 0 {
        return String::new();
    }
    format!("{}…", &text[..byte_at(text, max - 1)])
}

/// A place `dir/file.py:12` cut at its start to `max` columns, if possible between directories.
pub(crate) fn cut_path(text: &str, max: usize) -> String {
    if width(text) <= max {
        return text.to_owned();
    }
    for (i, _) in text.match_indices('/') {
        if width(&text[i..]) < max {
            return format!("…{}", &text[i..]);
        }
    }
    let mut tail = text;
    while !tail.is_empty() && width(tail) >= max {
        let mut chars = tail.chars();
        chars.next();
        tail = chars.as_str();
    }
    if max == 0 {
        String::new()
    } else {
        format!("…{tail}")
    }
}

/// Byte offset of the longest prefix of at most `columns`.
pub(crate) fn byte_at(text: &str, columns: usize) -> usize {
    let mut used = 0;
    for (i, c) in text.char_indices() {
        used += c.width().unwrap_or(1);
        if used > columns {
            return i;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lose_their_start() {
        assert_eq!(cut_path("/home/u/project/app.py:12", 12), "…/app.py:12");
        assert_eq!(
            cut_path("/home/u/project/app.py:12", 20),
            "…/project/app.py:12"
        );
        assert_eq!(cut_path("a_very_long_name.py:12", 8), "…e.py:12");
        assert_eq!(cut_path("abc", 0), "");
    }

    #[test]
    fn wrapping_keeps_numbers_with_their_nouns() {
        let text = Line::plain(&"rank 5 ".repeat(40));
        let lines = text.wrap(Line::plain("help: "), &Line::new().space(6));
        for line in lines {
            assert!(line.width() <= WIDTH);
            assert!(line.words().last().unwrap().width() == 6);
        }
    }

    #[test]
    fn a_word_wider_than_a_line_is_broken() {
        let lines = Line::plain(&"x".repeat(200)).wrap(Line::new(), &Line::new().space(4));
        let widths: Vec<_> = lines.iter().map(Line::width).collect();
        assert_eq!(widths, [80, 80, 48]);
    }

    #[test]
    fn escapes_are_disarmed() {
        assert_eq!(clean("a\x1b[31mb\u{202e}c\td"), "a�[31mb�c d");
    }
}
