//! From a witness of the search to a finding of the report.

use std::collections::BTreeSet;

use standoff_check::{Outcome, Witness};
use standoff_report::{AgentEntry, Cause, Finding, FindingKind, Op};
use standoff_trace::event::SendMode;
use standoff_trace::{Event, RankTrace};

use super::lines::Lines;
use super::recording::Execution;
use super::{steps, words};
use crate::monitor::names::spelling;

/// What has become of a partner that is waited for in vain.
const LEFT: &str = "finished";

/// The finding, not confirmed yet.
pub fn finding(execution: &Execution, witness: &Witness) -> Finding {
    let place = Lines::new(execution);
    let mut out = Finding::new(FindingKind::PotentialDeadlock);
    out.confirmed = false;
    for stuck in &witness.stuck {
        let entry = place.entry(stuck);
        if witness.core.contains(&stuck.rank) {
            out.core.push(entry);
        } else {
            out.victims.push(entry);
        }
    }
    // Who is waited for and is not stuck has come to its end.
    let stuck = |rank: u32| witness.stuck.iter().any(|s| s.rank == rank);
    let held = witness
        .stuck
        .iter()
        .filter(|s| witness.core.contains(&s.rank));
    let gone: BTreeSet<u32> = held
        .flat_map(|s| s.waits_for.iter().copied())
        .filter(|&rank| !stuck(rank))
        .collect();
    for rank in gone {
        out.core.push(AgentEntry {
            agent: format!("rank {rank}"),
            rank,
            op: Some(Op::Ended),
            state: Some(LEFT.to_owned()),
            ..AgentEntry::default()
        });
        out.causes.push(Cause {
            rank,
            what: LEFT.to_owned(),
            ..Cause::default()
        });
    }
    out.core.sort_by_key(|e| e.rank);
    out.cycle = cycle(witness);
    (out.steps, out.steps_left_out) = steps::steps(&place, witness);
    out.summary = words::summary(&place, witness);
    out.explanation = words::explanation(&place, witness);
    out.advice = words::advice(&place, witness, spelling(&out.core));
    out
}

/// A short circle among the core, if each waits for one other.
fn cycle(witness: &Witness) -> Vec<String> {
    let next = |rank: u32| {
        let stuck = witness.stuck.iter().find(|s| s.rank == rank)?;
        stuck
            .waits_for
            .iter()
            .copied()
            .find(|r| witness.core.contains(r))
    };
    let mut path: Vec<u32> = Vec::new();
    let mut at = witness.core.first().copied();
    while let Some(rank) = at {
        if let Some(start) = path.iter().position(|&r| r == rank) {
            return path[start..].iter().map(|r| format!("rank {r}")).collect();
        }
        path.push(rank);
        at = next(rank);
    }
    Vec::new()
}

/// The whole schedule in lines, for the witness's file.
pub fn schedule(execution: &Execution, witness: &Witness) -> Vec<String> {
    let lines = Lines::new(execution);
    let native = |rank: u32, address: u64| {
        let frame = lines.native(rank, address)?;
        Some(format!("{}:{}", frame.file?, frame.line?))
    };
    let schedule = standoff_check::schedule(&execution.trace, witness, &native);
    schedule.to_string().lines().map(str::to_owned).collect()
}

fn standard_send(rank: &RankTrace, event: u32) -> Option<u64> {
    match &rank.records.get(event as usize)?.event {
        Event::Send(send) if send.mode == SendMode::Standard => Some(send.bytes),
        Event::Sendrecv { send, .. } => Some(send.bytes),
        _ => None,
    }
}

/// A send on which a member of the core waits: from, to (world ranks) and its size.
pub fn waiting_send(execution: &Execution, witness: &Witness) -> Option<(u32, u32, u64)> {
    let core = witness.stuck.iter();
    let mut core = core.filter(|s| witness.core.contains(&s.rank));
    core.find_map(|s| {
        let rank = &execution.trace.ranks[s.rank as usize];
        let bytes = s.operations.iter().find_map(|&o| standard_send(rank, o))?;
        let to = *s.waits_for.first()?;
        (to != s.rank).then_some((s.rank, to, bytes))
    })
}

/// A deadlock that the program had when it was forced into another execution.
pub fn of_forced_run(mut live: Finding, outcome: &Outcome) -> Finding {
    live.kind = FindingKind::PotentialDeadlock;
    live.confirmed = true;
    let other = match outcome {
        Outcome::Message { .. } => {
            "Receives from any source may take their messages in another order than in the recorded run"
        }
        Outcome::Requests { .. } => {
            "Of requests that are complete, MPI_Waitany and its kin may tell another than in the recorded run"
        }
        Outcome::Found(true) => {
            "MPI_Test, MPI_Iprobe and their kin may find something earlier than in the recorded run"
        }
        Outcome::Found(false) => {
            "MPI_Test, MPI_Iprobe and their kin may find nothing yet where they found something in the recorded run"
        }
    };
    live.explanation = format!(
        "{other}; the program was made to, and hung. {}",
        live.explanation
    );
    live
}

/// The live diagnosis of a forced run has whole stacks.
pub fn take_stacks(finding: &mut Finding, live: &Finding) {
    let all = live.core.iter().chain(&live.victims);
    for seen in all {
        let same = finding
            .core
            .iter_mut()
            .chain(&mut finding.victims)
            .find(|e| e.rank == seen.rank);
        if let Some(entry) = same.filter(|e| e.stack.first() == seen.stack.first()) {
            entry.stack = seen.stack.clone();
            entry.user_call = entry.user_call.take().or_else(|| seen.user_call.clone());
        }
    }
}
