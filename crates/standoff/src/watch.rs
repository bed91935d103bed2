//! What watches a job. The main loop ([`crate::job`]) knows only this trait.

use std::path::PathBuf;
use std::time::Duration;

use standoff_report::Report;

use crate::exit::JobExit;

/// What a watcher is told before the job starts.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The session directory, where ranks will leave their boards.
    pub session: PathBuf,
    /// How long no member of a set with may-waits may have moved before it counts.
    pub window: Duration,
    /// The job will be ended when a deadlock is proven.
    pub ends: bool,
    /// The ranks can let standard sends return from copies (`--rescue`).
    pub rescue: bool,
    /// The ranks' calls can return errors once a deadlock has been told (`--on-deadlock raise`).
    pub raises: bool,
}

/// What one look at the job gave.
#[derive(Debug)]
pub enum Tick {
    /// Nothing so far; look again after `next` at the latest.
    Continue {
        /// Time until the next look.
        next: Duration,
    },
    /// Proven: this job cannot go on. The watcher is not asked again, unless blocked calls return errors: then once at most it gives this.
    Deadlock(Box<Report>),
    /// After a deadlock whose blocked calls returned errors: the job cannot come to its end, for this reason.
    Over(String),
    /// Ranks wait for ever, but only for some that were interrupted (Ctrl-C): somebody wanted this job to end. The watcher is not asked
    /// again.
    Interrupted(Box<Report>),
    /// An agent gets nowhere (a heuristic). The watcher goes on being asked, unless `--stall-exit`.
    Stalled(Box<Report>),
}

/// Why a snapshot is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// `--timeout` was reached.
    Timeout(Duration),
    /// `dump`.
    Asked,
}

/// Watches the ranks of one job.
///
/// Called from one thread: `tick` again and again while the job runs, then one of the others.
pub trait Watcher {
    /// Looks at the job.
    fn tick(&mut self) -> Tick;

    /// The deadlock of the last tick has been told: whatever was held still for that goes on.
    fn told(&mut self) {}

    /// What every rank is doing now, while the job still runs.
    fn snapshot(&mut self, why: Why) -> Report;

    /// The job ended by itself: what is to be said of it. `report.ranks` is 0 if no rank was ever seen.
    fn finish(&mut self, exit: JobExit) -> Report;
}
