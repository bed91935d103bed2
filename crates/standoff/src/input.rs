//! Where the standard input of a job comes from: `check` keeps what the first run was given, for those that follow.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, FileTypeExt};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::error::Error;

/// As much is kept.
pub const LIMIT: u64 = 16 << 20;

/// Where it comes from.
#[derive(Clone, Debug, Default)]
pub enum Input {
    /// It is ours.
    #[default]
    Ours,
    /// It is ours, and what comes is kept as well.
    Kept(Arc<Kept>),
    /// It is what was kept of another run.
    Again(Arc<Kept>),
}

/// What was kept, in a file.
#[derive(Debug)]
pub struct Kept {
    path: PathBuf,
    /// One of [`Whole`], by number.
    whole: AtomicU8,
}

/// Whether all of it was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whole {
    /// So far.
    Yes,
    /// A terminal is left alone.
    Terminal,
    /// It was more than [`LIMIT`], or there was no room for it.
    TooMuch,
}

impl Kept {
    /// Nothing yet, to be kept in this file.
    pub fn new(path: PathBuf) -> Arc<Kept> {
        let whole = AtomicU8::new(Whole::Yes as u8);
        Arc::new(Kept { path, whole })
    }

    /// Whether it is all that came.
    pub fn whole(&self) -> Whole {
        match self.whole.load(Ordering::Relaxed) {
            0 => Whole::Yes,
            1 => Whole::Terminal,
            _ => Whole::TooMuch,
        }
    }

    fn not_whole(&self, why: Whole) {
        self.whole.store(why as u8, Ordering::Relaxed);
    }

    /// Passes our input on to the job until one of them ends, on a thread of its own, and keeps it.
    pub fn pass_on(self: Arc<Kept>, mut to: ChildStdin) {
        std::thread::spawn(move || {
            let ours = io::stdin().as_fd().try_clone_to_owned();
            let (Ok(ours), Ok(mut file)) = (ours, File::create(&self.path)) else {
                return self.not_whole(Whole::TooMuch);
            };
            let (mut from, mut kept) = (File::from(ours), 0);
            let mut buffer = [0; 1 << 16];
            loop {
                let n = match from.read(&mut buffer) {
                    Ok(0) => return,
                    Ok(n) => n,
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                    Err(_) => return,
                };
                kept += n as u64;
                let fits = kept <= LIMIT && self.whole() == Whole::Yes;
                if !fits || file.write_all(&buffer[..n]).is_err() {
                    self.not_whole(Whole::TooMuch);
                }
                // The job has closed its end.
                if to.write_all(&buffer[..n]).is_err() {
                    return;
                }
            }
        });
    }
}

impl Input {
    /// Gives it to a command; where it must be passed on, says what keeps it.
    pub fn prepare(&self, command: &mut Command) -> Result<Option<Arc<Kept>>, Error> {
        match self {
            Input::Ours => Ok(None),
            Input::Again(kept) => {
                // Nothing was kept where nothing came.
                let file = File::open(&kept.path);
                command.stdin(file.map_or_else(|_| Stdio::null(), Stdio::from));
                Ok(None)
            }
            Input::Kept(kept) => {
                let kind = fs::metadata("/proc/self/fd/0").map(|m| m.file_type());
                match kind {
                    Ok(kind) if kind.is_file() => {
                        if copy(&kept.path).is_err() {
                            kept.not_whole(Whole::TooMuch);
                        }
                        Ok(None)
                    }
                    Ok(kind) if kind.is_fifo() || kind.is_socket() => {
                        command.stdin(Stdio::piped());
                        Ok(Some(Arc::clone(kept)))
                    }
                    Ok(_) if io::IsTerminal::is_terminal(&io::stdin()) => {
                        kept.not_whole(Whole::Terminal);
                        Ok(None)
                    }
                    _ => Ok(None),
                }
            }
        }
    }
}

/// Copies what is left of the file that is our input, and leaves it where it is.
fn copy(to: &Path) -> io::Result<()> {
    let ours = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut at = io::Seek::stream_position(&mut &ours)?;
    if ours.metadata()?.len().saturating_sub(at) > LIMIT {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut file = File::create(to)?;
    let mut buffer = [0; 1 << 16];
    loop {
        match ours.read_at(&mut buffer, at)? {
            0 => return Ok(()),
            n => {
                file.write_all(&buffer[..n])?;
                at += n as u64;
            }
        }
    }
}
