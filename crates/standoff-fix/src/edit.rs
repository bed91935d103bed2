//! Edits of a text by byte ranges, and the difference as people read it.

use std::ops::Range;

use similar::TextDiff;

/// One replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Bytes of the original text that go. Empty: an insertion.
    pub range: Range<usize>,
    /// What comes in their place.
    pub text: String,
}

impl Edit {
    /// A replacement.
    pub fn replace(range: Range<usize>, text: impl Into<String>) -> Edit {
        Edit {
            range,
            text: text.into(),
        }
    }

    /// An insertion.
    pub fn insert(at: usize, text: impl Into<String>) -> Edit {
        Edit::replace(at..at, text)
    }
}

/// The text with these edits done. They are ranges of the original; `None` if two overlap or one is out of bounds.
pub fn apply(text: &str, edits: &[Edit]) -> Option<String> {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|e| (e.range.start, e.range.end));
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        out.push_str(text.get(at..edit.range.start)?);
        out.push_str(&edit.text);
        at = edit.range.end;
    }
    out.push_str(text.get(at..)?);
    Some(out)
}

/// A unified diff, as `patch -p0` takes it. Empty if nothing differs.
pub fn diff(path: &str, old: &str, new: &str) -> String {
    TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(3)
        .header(path, path)
        .to_string()
}

/// Lines that a patch takes away and puts in.
pub fn size(old: &str, new: &str) -> usize {
    let diff = TextDiff::from_lines(old, new);
    let changes = diff.iter_all_changes();
    changes
        .filter(|c| c.tag() != similar::ChangeTag::Equal)
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_of_the_original() {
        let edits = [Edit::replace(2..3, "X"), Edit::insert(0, "> ")];
        assert_eq!(apply("abc", &edits).as_deref(), Some("> abX"));
        let overlap = [Edit::replace(0..2, ""), Edit::replace(1..3, "")];
        assert_eq!(apply("abc", &overlap), None);
        assert_eq!(apply("abc", &[Edit::insert(4, "")]), None);
    }

    #[test]
    fn unified() {
        let text = diff("a.py", "x\ny\n", "x\nz\n");
        assert_eq!(text, "--- a.py\n+++ a.py\n@@ -1,2 +1,2 @@\n x\n-y\n+z\n");
        assert_eq!(size("x\ny\n", "x\nz\n"), 2);
    }
}
