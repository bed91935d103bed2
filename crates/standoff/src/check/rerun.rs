//! Further runs of the program, within a budget.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::cli::{CheckArgs, RunArgs};
use crate::input::{Input, Kept, Whole};
use crate::interrupt;
use crate::job::Outcome;
use crate::output;
use crate::run::{self, How};

use super::force::{Choices, Forcing};
use super::progress::Progress;
use super::recording::{Execution, Recording};
use super::scratch::{Directory, Scratch};

/// How long a forced run may take beyond the recorded one, times its length.
const PATIENCE: u32 = 4;
/// And at least.
const LEAST: Duration = Duration::from_secs(10);

/// How many runs and how much time to spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Forced runs at most.
    pub runs: u32,
    /// Time for them.
    pub time: Duration,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget {
            runs: 30,
            time: Duration::from_secs(120),
        }
    }
}

/// A check of one program, after the recorded run.
pub(super) struct Checker<'a> {
    pub(super) args: &'a CheckArgs,
    /// The MPI's name.
    pub(super) library: &'static str,
    /// How the recorded run was made.
    pub(super) how: &'a How,
    /// The recorded run.
    pub(super) took: Duration,
    pub(super) begun: Instant,
    pub(super) runs: u32,
    pub(super) scratch: Option<Scratch>,
    /// Of the recorded run.
    pub(super) input: Arc<Kept>,
    pub(super) progress: Progress,
}

/// A run under force.
pub(super) struct Forced {
    pub(super) outcome: Outcome,
    recording: Recording,
    directory: Option<Directory>,
}

impl Forced {
    /// What it recorded; else why it cannot be searched.
    pub(super) fn execution(&self) -> Result<Execution, String> {
        let mut execution = self.recording.execution();
        if let (Ok(execution), Some(directory)) = (&mut execution, &self.directory) {
            directory.recorded_at_home(execution);
        }
        execution
    }
}

impl Checker<'_> {
    /// Runs the program under force, recorded; `None`: the budget is spent.
    pub(super) fn force(&mut self, choices: &Choices) -> Option<Forced> {
        let recording = Recording::new().ok()?;
        let forced = Forcing::write(&recording, choices).ok()?;
        let (outcome, directory) = self.run_as(forced.env(&recording))?;
        Some(Forced {
            outcome,
            recording,
            directory,
        })
    }

    /// Runs the program again, silently; `None`: the budget is spent.
    pub(super) fn run_as(
        &mut self,
        env: Vec<(OsString, OsString)>,
    ) -> Option<(Outcome, Option<Directory>)> {
        let budget = self.args.budget.unwrap_or_default();
        if interrupt::asked().is_some()
            || self.runs >= budget.runs
            || self.begun.elapsed() >= budget.time
        {
            return None;
        }
        if self.runs == 0 && !self.args.run.quiet && !self.how.silent {
            output::remark(&format!(
                "check runs the program again, forced into other executions; its output is not shown{}",
                match self.input.whole() {
                    Whole::Yes => "",
                    Whole::Terminal => ", and its input, which was a terminal's, is empty",
                    Whole::TooMuch => ", and it gets only the beginning of its input",
                }
            ));
        }
        self.runs += 1;
        let (n, most) = (self.runs, budget.runs);
        self.progress.tell(|| format!("run {n} of at most {most}"));
        let args = RunArgs {
            json: None,
            quiet: true,
            stall_exit: true,
            no_kill: false,
            on_deadlock: None,
            timeout: Some((self.took * PATIENCE).max(LEAST)),
            ..self.args.run.clone()
        };
        let directory = self.scratch.as_ref().map(Scratch::directory);
        let directory = directory.transpose().ok()?;
        let how = How {
            env: self.how.env.iter().cloned().chain(env).collect(),
            silent: true,
            input: Input::Again(Arc::clone(&self.input)),
            directory: directory.as_ref().map(|d| d.path().to_owned()),
            output: None,
        };
        let mut outcome = run::execute_as(args, how).ok()?;
        if let Some(directory) = &directory {
            directory.at_home(&mut outcome.report);
        }
        if outcome.interrupted {
            interrupt::remember();
            return None;
        }
        Some((outcome, directory))
    }
}
