//! `standoff check`: one ordinary run, recorded; then every other execution that MPI allows, searched; what is found, forced on the real
//! program.
//!
//! `explore` goes from one execution to the next; [`recording`] keeps and reads what the ranks record; [`find`] makes findings of the search's witnesses
//! (`steps`, `words`, `lines`), `mismatch` those that are wrong without hanging; [`plan`] knows which choices lead to them, [`force`] tells the
//! ranks, `rerun` runs the program so, and `confirm` sees whether it hung. The search itself is the crate `standoff-check`.

mod bounds;
mod confirm;
mod explore;
pub mod find;
pub mod force;
mod lines;
mod mismatch;
mod other_calls;
pub mod plan;
mod progress;
pub mod recording;
mod rerun;
pub mod scratch;
mod steps;
#[cfg(test)]
mod witness_tests;
mod words;

use std::io;
use std::sync::Arc;
use std::time::Instant;

use standoff_report::{Report, Severity, Verdict};

use crate::cli::{CheckArgs, ReplayArgs, RunArgs};
use crate::error::Error;
use crate::exit::{JobExit, Status};
use crate::input::{Input, Kept};
use crate::interrupt;
use crate::job::Outcome;
use crate::output::{self, JsonFile, Style};
use crate::run::{self, How};

use self::force::{Forcing, Witness};
use self::progress::Progress;
use self::recording::Recording;
pub use self::rerun::Budget;
use self::rerun::Checker;
use self::scratch::Scratch;

/// Does it and says how to exit.
pub fn check(args: CheckArgs) -> Result<Status, Error> {
    let json = args
        .run
        .json
        .as_deref()
        .map(JsonFile::prepare)
        .transpose()?;
    let deadlock = args.run.error_exitcode;
    let style = Style::for_stream(args.run.brief, args.run.color, &io::stderr());
    let quiet = args.run.quiet;
    let outcome = examine(&args, &How::default())?;
    let told = told(&outcome);
    let nothing = quiet && outcome.report.verdict == Verdict::Clean;
    if !(told || nothing) {
        output::diagnosis(&outcome.report, style);
    }
    let hangs = Verdict::PotentialDeadlock == outcome.report.verdict || told;
    if hangs && !quiet && !args.run.brief {
        run::say_hint(&outcome.report, args.run.ranks, &outcome.report.command);
    }
    if let Some(json) = json {
        json.write(&outcome.report)?;
    }
    Ok(outcome.happened.status(deadlock))
}

/// Something was found while the program ran, and shown then, unless the run was silent.
fn told(outcome: &Outcome) -> bool {
    let happened = &outcome.happened;
    happened.deadlock || happened.stalled || happened.timeout
}

/// Runs, records and searches, in this way. What is found after the recorded run is not shown.
pub fn examine(args: &CheckArgs, how: &How) -> Result<Outcome, Error> {
    interrupt::listen()?;
    let recording = Recording::new()?;
    let scratch = args.scratch.then(Scratch::new).transpose()?;
    let input = Kept::new(recording.path().join("input"));
    let started = Instant::now();
    let first = RunArgs {
        json: None,
        quiet: true,
        stall_exit: true,
        no_kill: false,
        on_deadlock: None,
        ..args.run.clone()
    };
    let mut recorded = how.clone();
    recorded.env.extend(recording.env());
    // A silent check is one of several, none of which is meant by our input: theirs is empty.
    recorded.input = match how.silent {
        true => Input::Again(Arc::clone(&input)),
        false => Input::Kept(Arc::clone(&input)),
    };
    let mut outcome = run::execute_as(first, recorded)?;
    let told = told(&outcome);
    let passed = outcome.report.verdict == Verdict::Clean && !told && !outcome.interrupted;
    if passed {
        let mut checker = Checker {
            args,
            how,
            library: confirm::library(&outcome.report),
            took: started.elapsed(),
            begun: Instant::now(),
            runs: 0,
            scratch,
            input,
            progress: Progress::new(args.run.quiet || how.silent),
        };
        checker.conclude(&recording, &mut outcome.report);
        outcome.happened.warned = outcome.report.verdict == Verdict::PotentialDeadlock
            || args.run.strict && warned(&outcome.report);
        if let Some(signal) = interrupt::asked() {
            outcome.interrupted = true;
            // "Clean" as far as it came is not what whoever waits for the status has asked.
            if !outcome.happened.warned {
                outcome.happened.job = Some(JobExit::Signal(signal));
            }
        }
    } else if outcome.interrupted {
        interrupt::remember();
    }
    Ok(outcome)
}

fn warned(report: &Report) -> bool {
    let mut findings = report.findings.iter();
    findings.any(|f| f.severity == Severity::Warning)
}

/// `standoff replay`: forces a witness again.
pub fn replay(args: ReplayArgs) -> Result<Status, Error> {
    let witness = Witness::read(&args.witness)?;
    let recording = Recording::new()?;
    let forced = Forcing::write(&recording, &witness.choices)?;
    let scratch = args.scratch.then(Scratch::new).transpose()?;
    let directory = scratch.as_ref().map(Scratch::directory).transpose();
    let directory = directory.map_err(|e| Error::Scratch(e.to_string()))?;
    let how = How {
        env: forced.env(&recording),
        directory: directory.as_ref().map(|d| d.path().to_owned()),
        ..How::default()
    };
    let deadlock = args.run.error_exitcode;
    let outcome = run::execute_as(args.run, how)?;
    if !outcome.happened.deadlock {
        output::remark(
            "the witness did not lead to its deadlock: the program made other calls, or this MPI cannot be brought there",
        );
    }
    Ok(outcome.happened.status(deadlock))
}
