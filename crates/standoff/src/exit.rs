//! Exit statuses: their names and which of them wins.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// standoff itself could not work.
pub const BROKEN: u8 = 96;
/// Stalled, and ended because of `--stall-exit`.
pub const STALLED: u8 = 97;
/// `--strict` and a warning (and `check`: a potential deadlock).
pub const WARNED: u8 = 98;
/// Deadlock, unless `--error-exitcode` says otherwise.
pub const DEADLOCK: u8 = 99;
/// `--timeout` was reached.
pub const TIMEOUT: u8 = 124;
/// The command line makes no sense.
pub const USAGE: u8 = 2;

/// How this process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// With this exit status.
    Code(u8),
    /// By this signal, as the job did.
    Signal(i32),
}

impl Status {
    /// Nothing to complain about.
    pub const OK: Status = Status::Code(0);

    /// Ends this process. For a signal: by that signal and without a core file (the job wrote its own, if any); where
    /// that is impossible (this is process 1 of a container), with 128 + its number.
    pub fn exit(self) -> ! {
        use nix::sys::resource::{Resource, getrlimit, setrlimit};
        match self {
            Status::Code(code) => std::process::exit(i32::from(code)),
            Status::Signal(signal) => {
                if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_CORE) {
                    let _ = setrlimit(Resource::RLIMIT_CORE, 0, hard);
                }
                // Whoever has a handler for it (Rust itself, for a fault), this takes it away first. What it does not
                // know, and process 1, which nothing kills, come back or do not go there.
                if std::process::id() != 1 {
                    let _ = signal_hook::low_level::emulate_default_handler(signal);
                }
                std::process::exit(128 + signal)
            }
        }
    }
}

/// How the job (the launcher, or the program without one) ended by itself or was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobExit {
    /// With this exit status.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl JobExit {
    /// Exited with zero.
    pub fn success(self) -> bool {
        self == JobExit::Code(0)
    }

    /// The same, for the report.
    pub fn for_report(self) -> standoff_report::Exit {
        match self {
            JobExit::Code(code) => standoff_report::Exit {
                code: Some(code),
                ..standoff_report::Exit::default()
            },
            JobExit::Signal(signal) => standoff_report::Exit {
                signal: Some(signal),
                ..standoff_report::Exit::default()
            },
        }
    }
}

impl From<ExitStatus> for JobExit {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => JobExit::Code(code),
            (None, Some(signal)) => JobExit::Signal(signal),
            (None, None) => JobExit::Code(i32::from(BROKEN)),
        }
    }
}

/// What can have happened in one watched run. Several may hold at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Happened {
    /// A deadlock was found.
    pub deadlock: bool,
    /// A stall was found and `--stall-exit` given.
    pub stalled: bool,
    /// `--timeout` was reached.
    pub timeout: bool,
    /// There are warnings and `--strict` was given.
    pub warned: bool,
    /// How the job ended; `None` if it was left alone.
    pub job: Option<JobExit>,
}

impl Happened {
    /// The status to exit with; `deadlock` is 99 or what `--error-exitcode` says. Precedence: deadlock, stall,
    /// timeout, the program's own failure, warnings.
    pub fn status(&self, deadlock: u8) -> Status {
        if self.deadlock {
            return Status::Code(deadlock);
        }
        if self.stalled {
            return Status::Code(STALLED);
        }
        if self.timeout {
            return Status::Code(TIMEOUT);
        }
        match self.job {
            Some(JobExit::Signal(signal)) => Status::Signal(signal),
            // The low byte is all that a parent sees.
            Some(JobExit::Code(code)) if code & 0xff != 0 => Status::Code((code & 0xff) as u8),
            _ if self.warned => Status::Code(WARNED),
            _ => Status::OK,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precedence() {
        let mut all = Happened {
            deadlock: true,
            stalled: true,
            timeout: true,
            warned: true,
            job: Some(JobExit::Code(3)),
        };
        assert_eq!(all.status(DEADLOCK), Status::Code(99));
        assert_eq!(all.status(7), Status::Code(7));
        all.deadlock = false;
        assert_eq!(all.status(DEADLOCK), Status::Code(97));
        all.stalled = false;
        assert_eq!(all.status(DEADLOCK), Status::Code(124));
        all.timeout = false;
        assert_eq!(all.status(DEADLOCK), Status::Code(3));
        all.job = Some(JobExit::Signal(11));
        assert_eq!(all.status(DEADLOCK), Status::Signal(11));
        all.job = Some(JobExit::Code(0));
        assert_eq!(all.status(DEADLOCK), Status::Code(98));
        all.warned = false;
        assert_eq!(all.status(DEADLOCK), Status::OK);
    }
}
