//! `--scratch`: a directory of its own for each further run, with what the current directory held before the first.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use standoff_report::{Frame, Report};
use standoff_trace::Event;
use standoff_trace::event::Place;
use tempfile::TempDir;

use super::recording::Execution;
use crate::error::Error;

/// More is not copied.
const BYTES: u64 = 256 << 20;
/// Nor more files.
const FILES: u64 = 20_000;

/// A copy of the current directory, from which others are made.
#[derive(Debug)]
pub struct Scratch {
    home: PathBuf,
    original: TempDir,
}

impl Scratch {
    /// Copies the current directory, without the temporary directory if that is inside.
    pub fn new() -> Result<Scratch, Error> {
        let broken = |e: io::Error| Error::Scratch(e.to_string());
        let home = std::env::current_dir()
            .and_then(fs::canonicalize)
            .map_err(broken)?;
        let original = directory().map_err(broken)?;
        let temporary = fs::canonicalize(std::env::temp_dir()).map_err(broken)?;
        let mut copy = Copy {
            from: &home,
            leave: &temporary,
            bytes: 0,
            files: 0,
        };
        copy.tree(&home, original.path()).map_err(broken)?;
        Ok(Scratch { home, original })
    }

    /// A new directory with the same content.
    pub fn directory(&self) -> io::Result<Directory> {
        let place = directory()?;
        let mut copy = Copy {
            from: self.original.path(),
            leave: Path::new(""),
            bytes: 0,
            files: 0,
        };
        copy.tree(self.original.path(), place.path())?;
        Ok(Directory {
            path: fs::canonicalize(place.path())?,
            home: self.home.clone(),
            _place: place,
        })
    }
}

/// A directory for one run; gone when dropped.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    home: PathBuf,
    _place: TempDir,
}

impl Directory {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn frame(&self, frame: &mut Frame) {
        if let Some(file) = &mut frame.file
            && let Ok(short) = self.home.join(&*file).strip_prefix(&self.path)
        {
            *file = short.to_string_lossy().into_owned();
        }
    }

    /// Names the files as those of the program's own directory.
    pub fn at_home(&self, report: &mut Report) {
        for finding in &mut report.findings {
            let entries = finding.core.iter_mut().chain(&mut finding.victims);
            let stacks = entries.map(|e| &mut e.stack);
            let causes = finding.causes.iter_mut().map(|c| &mut c.stack);
            for frame in stacks.chain(causes).flatten() {
                self.frame(frame);
            }
        }
    }

    /// The same, in what was recorded.
    pub fn recorded_at_home(&self, execution: &mut Execution) {
        for record in execution
            .trace
            .ranks
            .iter_mut()
            .flat_map(|r| &mut r.records)
        {
            if let Event::Site {
                place: Place::Script { file, .. },
                ..
            } = &mut record.event
                && let Ok(short) = Path::new(file.as_ref()).strip_prefix(&self.path)
            {
                *file = self.home.join(short).to_string_lossy().into_owned().into();
            }
        }
        for modules in execution.modules.iter().flatten() {
            let (here, home) = (self.path.to_string_lossy(), self.home.to_string_lossy());
            // Without it native places have no lines.
            let _ = fs::read_to_string(modules)
                .and_then(|text| fs::write(modules, text.replace(&*here, &home)));
        }
    }
}

fn directory() -> io::Result<TempDir> {
    tempfile::Builder::new()
        .prefix("standoff-scratch-")
        .tempdir()
}

struct Copy<'a> {
    /// All that is copied is in it.
    from: &'a Path,
    /// Not copied.
    leave: &'a Path,
    bytes: u64,
    files: u64,
}

impl Copy<'_> {
    fn tree(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            let new = to.join(entry.file_name());
            self.files += 1;
            if kind.is_dir() {
                if path != self.leave {
                    fs::create_dir(&new)?;
                    self.tree(&path, &new)?;
                }
            } else if kind.is_symlink() {
                symlink(self.target(&path)?, &new)?;
            } else if kind.is_file() {
                self.bytes += entry.metadata()?.len();
                self.check()?;
                fs::copy(&path, &new)?;
            }
            self.check()?;
        }
        Ok(())
    }

    fn check(&self) -> io::Result<()> {
        if self.bytes > BYTES || self.files > FILES {
            return Err(io::Error::other(format!(
                "{} holds more than {} MiB, or more than {FILES} files",
                self.from.display(),
                BYTES >> 20
            )));
        }
        Ok(())
    }

    /// Where a link leads; one that leads out of what is copied is told in full.
    fn target(&self, link: &Path) -> io::Result<OsString> {
        let target = fs::read_link(link)?;
        match fs::canonicalize(link) {
            Ok(whole) if !whole.starts_with(self.from) => Ok(whole.into_os_string()),
            _ => Ok(target.into_os_string()),
        }
    }
}
