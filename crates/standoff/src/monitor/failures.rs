//! Ranks that ended: how each left, and which of them failed.

use std::collections::BTreeMap;

use standoff_board::layout::{state, wait};
use standoff_board::read::text;
use standoff_report::{Cause, Finding, FindingKind, Frame};

use super::picture::Reading;
use super::stacks::{own_first, parse, relative};
use crate::exit::JobExit;

/// How a rank left: words that complete "rank 3 …".
pub fn leaving(reading: &Reading) -> (String, Vec<Frame>) {
    let header = &reading.copy.header;
    let raised = text(&header.raised);
    if let Some((first, stack)) = raised
        .split_once('\n')
        .filter(|(first, _)| !first.is_empty())
    {
        let mut frames = own_first(parse(stack.lines()));
        relative(&mut frames);
        return (format!("raised {first}"), frames);
    }
    let what = match (header.state, header.exit, reading.gone) {
        (state::ABORTING, ..) => format!("called MPI_Abort with {}", header.abort_code),
        (_, 0 | 1, false) | (_, 1, true) => "finished".to_owned(),
        (state::FINALIZED, 0, true) => "finished".to_owned(),
        (_, 0, true) => "was killed or crashed".to_owned(),
        (_, status, _) => format!("exited with status {}", status - 1),
    };
    (what, Vec::new())
}

/// A rank that ended badly.
#[derive(Debug)]
pub struct Failure {
    cause: Cause,
    /// The more telling the smaller.
    class: u8,
    /// It was in no MPI call.
    outside: bool,
    /// It had come to MPI_Finalize.
    finalizing: bool,
}

impl Failure {
    /// Whether it had come to `MPI_Finalize`.
    pub fn finalizing(&self) -> bool {
        self.finalizing
    }
}

/// It ended without a word.
const KILLED: u8 = 3;
/// It had done its part, and left with a status of its own that says no.
const OWN_STATUS: u8 = 4;

/// Launchers end the others when a rank dies or says no; those have not failed. Given are the places in the order of
/// deaths, as far as known.
pub fn first(mut failures: Vec<Failure>, order: &BTreeMap<(u32, u32), usize>) -> Vec<Failure> {
    let place = |f: &Failure| order.get(&(f.cause.world, f.cause.rank)).copied();
    let quiet = |f: &Failure| f.class >= KILLED;
    let first = failures.iter().filter(|f| quiet(f)).filter_map(place).min();
    if first.is_some() {
        failures.retain(|f| !quiet(f) || place(f) == first);
    }
    if failures.iter().filter(|f| quiet(f)).count() > 1 {
        let said_no = failures.iter().any(|f| f.class == OWN_STATUS);
        failures.retain(|f| !(said_no && f.class == KILLED && f.finalizing));
        // Whoever waits in MPI does not crash there as a rule.
        if failures.iter().any(|f| f.class == KILLED && f.outside) {
            failures.retain(|f| f.class != KILLED || f.outside);
        }
    }
    failures.retain(|f| f.class != OWN_STATUS);
    failures
}

/// Ranks that ended badly.
pub fn failures(world: u32, readings: &[Option<Reading>]) -> Vec<Failure> {
    let mut out = Vec::new();
    for (rank, reading) in (0u32..).zip(readings) {
        let Some(reading) = reading else { continue };
        let header = &reading.copy.header;
        let (what, stack) = leaving(reading);
        let class = match header.state {
            _ if header.raised[0] != 0 => 0,
            state::ABORTING => 1,
            _ if header.exit == 1 => continue,
            state::FINALIZED if header.exit > 1 => OWN_STATUS,
            state::FINALIZED => continue,
            _ if header.exit > 1 => 2,
            _ => KILLED,
        };
        let mut live = reading.copy.threads.iter().filter(|t| t.used == 1);
        let outside = live.all(|t| t.wait == wait::OUTSIDE);
        let cause = Cause {
            rank,
            world,
            what,
            stack,
        };
        out.push(Failure {
            cause,
            class,
            outside,
            finalizing: matches!(header.state, state::FINALIZING | state::FINALIZED),
        });
    }
    out
}

/// The finding of a job that failed.
pub fn crash(failures: Vec<Failure>, exit: JobExit) -> Option<Finding> {
    let worst = failures.iter().map(|f| f.class).min()?;
    let mut out = Finding::new(FindingKind::Crash);
    out.causes = failures
        .into_iter()
        .filter(|f| f.class == worst)
        .map(|f| f.cause)
        .collect();
    let how = match exit {
        JobExit::Code(code) => format!("The job ended with exit status {code}."),
        JobExit::Signal(signal) => format!("The job was ended by signal {signal}."),
    };
    let who: Vec<String> = out
        .causes
        .iter()
        .take(4)
        .map(|c| format!("Rank {} {}.", c.rank, c.what))
        .collect();
    out.explanation = format!("{} {how}", who.join(" "));
    Some(out)
}
