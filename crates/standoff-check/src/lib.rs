//! `check`: every execution that MPI allows of a recorded run, searched for deadlocks.
//!
//! [`check`] takes what all ranks recorded and answers [`Verdict::Clean`] with its [`Scope`], or a [`Witness`]: a schedule that
//! one can follow and force.
//!
//! # What is never reported falsely
//! A witness is a sequence of steps that MPI allows; at its end the stuck ranks wait for each other or for ranks that have ended, each send
//! that could wait waits, each collective that could synchronize does. Whether the real program makes those calls is certain only if
//! [`Witness::diverges`] is empty.
//!
//! # What it may miss
//! Whatever its [`Scope`] leaves out. In [`Scope::RecordedControlFlow`]: executions in which a rank reacts to another message with
//! other calls; [`Model::alternatives`] lists what to force to see them.
#![forbid(unsafe_code)]

mod alternatives;
mod collectives;
mod compile;
mod machine;
mod mismatch;
mod moves;
mod program;
pub mod result;
mod routes;
mod schedule;
mod search;
mod stuck;
mod symmetry;
mod warnings;

pub use mismatch::{agree, mismatches};
pub use result::{
    Action, Alternative, Bound, Effort, Options, Outcome, Scope, Step, Stuck, Verdict, Witness,
};
pub use schedule::{Line, Schedule, call, schedule};
pub use standoff_trace::ReadError;
pub use warnings::{Warning, warnings};

use standoff_trace::Trace;

/// A run, compiled: what every analysis starts from.
#[derive(Debug)]
pub struct Model {
    program: program::Program,
}

impl Model {
    /// Compiles a run.
    ///
    /// # Errors
    /// [`ReadError::Unknown`]: an event names a communicator, rank, request or message that was never defined.
    pub fn new(trace: &Trace, options: &Options) -> Result<Model, ReadError> {
        compile::compile(trace, options).map(|program| Model { program })
    }

    /// Whether MPI leaves any matching or completion open; if not, one replay decides.
    #[must_use]
    pub fn nondeterministic(&self) -> bool {
        self.program.nondeterministic
    }

    /// Whether some rank asked, and did not wait: then [`Model::alternatives`] may name executions although nothing else is open.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.program.ranks.iter().any(|rank| !rank.asked.is_empty())
    }

    /// Searches all executions.
    #[must_use]
    pub fn search(&self, options: &Options) -> (Verdict, Effort) {
        search::search(&self.program, options)
    }

    /// What wildcards may be told that they were not told in the recorded run; in the order of ranks and events.
    #[must_use]
    pub fn alternatives(&self) -> Vec<Alternative> {
        alternatives::alternatives(&self.program)
    }
}

/// Searches all executions of a run.
///
/// # Errors
/// As [`Model::new`].
pub fn check(trace: &Trace, options: &Options) -> Result<(Verdict, Effort), ReadError> {
    Ok(Model::new(trace, options)?.search(options))
}
