//! Where the text of the user's source lines comes from.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

/// Gives lines of source files.
pub trait Sources {
    /// Line `n` (from 1) of `file`, without its line end. `None`: not there, or not to be read.
    fn line(&self, file: &str, n: u32) -> Option<String>;
}

/// No sources: excerpts are left out.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSources;

impl Sources for NoSources {
    fn line(&self, _: &str, _: u32) -> Option<String> {
        None
    }
}

/// Texts in memory, by file name.
#[derive(Clone, Debug, Default)]
pub struct MemorySources(BTreeMap<String, Vec<String>>);

impl MemorySources {
    /// Adds a file.
    #[must_use]
    pub fn with(mut self, file: &str, text: &str) -> Self {
        let lines = text.lines().map(str::to_owned).collect();
        self.0.insert(file.to_owned(), lines);
        self
    }
}

impl Sources for MemorySources {
    fn line(&self, file: &str, n: u32) -> Option<String> {
        nth(self.0.get(file)?, n)
    }
}

/// Files on this machine; relative names start at a given directory. Each file is read once, at most its first
/// 4 MiB; what is not UTF-8 is shown with replacement characters.
///
/// Known limit: a file that changed since the program read it shows its present text.
#[derive(Debug)]
pub struct FileSources {
    base: PathBuf,
    seen: RefCell<BTreeMap<String, Option<Vec<String>>>>,
}

impl FileSources {
    const LIMIT: u64 = 4 << 20;

    /// Relative names start at `base`, the directory the program was started in.
    pub fn new(base: impl Into<PathBuf>) -> Self {
        FileSources {
            base: base.into(),
            seen: RefCell::default(),
        }
    }

    fn load(&self, file: &str) -> Option<Vec<String>> {
        let path = self.base.join(file);
        if !path.is_file() {
            return None; // a pipe or device would block
        }
        let mut bytes = Vec::new();
        let handle = std::fs::File::open(path).ok()?;
        handle.take(Self::LIMIT).read_to_end(&mut bytes).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        Some(text.lines().map(str::to_owned).collect())
    }
}

impl Sources for FileSources {
    fn line(&self, file: &str, n: u32) -> Option<String> {
        let mut seen = self.seen.borrow_mut();
        let lines = seen
            .entry(file.to_owned())
            .or_insert_with(|| self.load(file));
        nth(lines.as_ref()?, n)
    }
}

fn nth(lines: &[String], n: u32) -> Option<String> {
    let index = usize::try_from(n).ok()?.checked_sub(1)?;
    lines.get(index).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_count_from_one() {
        let sources = MemorySources::default().with("a.py", "one\ntwo\n");
        assert_eq!(sources.line("a.py", 2).as_deref(), Some("two"));
        assert_eq!(sources.line("a.py", 0), None);
        assert_eq!(sources.line("a.py", 3), None);
        assert_eq!(sources.line("b.py", 1), None);
    }

    #[test]
    fn files_relative_to_a_directory() {
        let sources = FileSources::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(sources.line("Cargo.toml", 1).as_deref(), Some("[package]"));
        assert_eq!(sources.line("no such file", 1), None);
        assert_eq!(sources.line("src", 1), None);
    }
}
