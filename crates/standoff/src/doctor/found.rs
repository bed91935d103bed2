//! What the looks found, one line each.

use standoff_report::text::paragraph;

use crate::error::Error;

/// What came of one look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Good,
    /// A run works, with less.
    Weak,
    /// A run does not work.
    Bad,
}

#[derive(Debug)]
pub(super) struct Line {
    mark: Mark,
    what: &'static str,
    text: String,
    help: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Line>);

impl Findings {
    pub(super) fn good(&mut self, what: &'static str, text: impl Into<String>) {
        self.add(Mark::Good, what, text.into(), None);
    }

    pub(super) fn error(&mut self, mark: Mark, what: &'static str, error: &Error) {
        self.add(mark, what, error.to_string(), error.help());
    }

    pub(super) fn add(
        &mut self,
        mark: Mark,
        what: &'static str,
        text: String,
        help: Option<String>,
    ) {
        self.0.push(Line {
            mark,
            what,
            text,
            help,
        });
    }

    pub(super) fn works(&self) -> bool {
        self.0.iter().all(|line| line.mark != Mark::Bad)
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for line in &self.0 {
            let mark = match line.mark {
                Mark::Good => "ok",
                Mark::Weak => "note",
                Mark::Bad => "BAD",
            };
            let start = format!("{mark:<5}{:<10}", line.what);
            text += &paragraph(&start, &line.text, start.len());
            if let Some(help) = &line.help {
                let start = format!("{:<15}help: ", "");
                text += &paragraph(&start, help, start.len());
            }
        }
        text.push_str(if self.works() {
            "\nstandoff can run programs here.\n"
        } else {
            "\nstandoff cannot run programs here before that is mended.\n"
        });
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_line_decides() {
        let mut found = Findings::default();
        found.good("a", "fine");
        found.add(Mark::Weak, "b", "less".into(), Some("mend".into()));
        assert!(found.works());
        found.add(Mark::Bad, "c", "broken".into(), None);
        assert!(!found.works());
        assert!(found.text().contains("help: mend"));
    }
}
