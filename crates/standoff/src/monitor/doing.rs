//! What every agent is doing, proven stuck or not: for `--timeout` and `dump`.
//!
//! It says what stands on the boards: the call, its partner, who has not come to its collective yet. That is no verdict: a partner
//! that is named may act in the next moment.

use std::time::Duration;

use standoff_board::functions;
use standoff_board::layout::{self as lay, Thread, op, wait};
use standoff_board::read::text;
use standoff_mpi::Agent;
use standoff_mpi::picture::WorldRank;
use standoff_report::{AgentEntry, Finding, FindingKind, Op, RequestEntry, WaitKind};

use super::failures::leaving;
use super::picture::{Reading, members, world_rank_of};
use super::report::Known;

/// Names given of those that a collective waits for.
const NAMES: usize = 64;

/// The time is up.
pub fn timeout(limit: Duration, known: &Known<'_>) -> Finding {
    let mut out = Finding::new(FindingKind::Timeout);
    out.core = everyone(known);
    out.explanation = format!(
        "The job was ended after {} s. No deadlock was proven: some rank could still act, or did. \
         What each rank was doing stands above.",
        limit.as_secs_f64()
    );
    out
}

/// Somebody asked.
pub fn snapshot(known: &Known<'_>) -> Finding {
    let mut out = Finding::new(FindingKind::Snapshot);
    out.core = everyone(known);
    out.explanation = "No deadlock is proven: somebody can still act. A rank that is named as waited for may do its part \
                       in the next moment."
        .to_owned();
    out
}

fn everyone(known: &Known<'_>) -> Vec<AgentEntry> {
    let mut out = Vec::new();
    for (rank, reading) in (0u32..).map(WorldRank).zip(known.readings) {
        let Some(reading) = reading else {
            out.push(AgentEntry {
                agent: known.rank_name(rank),
                rank: rank.0,
                world: known.world,
                state: Some("has not joined".to_owned()),
                ..AgentEntry::default()
            });
            continue;
        };
        for (slot, thread) in (0u32..).zip(&reading.copy.threads) {
            if thread.used == 1 {
                out.push(entry(known, Agent { rank, thread: slot }, reading, thread));
            }
        }
    }
    out
}

fn entry(known: &Known<'_>, agent: Agent, reading: &Reading, thread: &Thread) -> AgentEntry {
    let call = match thread.wait {
        wait::OUTSIDE => "",
        _ => functions::name(thread.function).unwrap_or_default(),
    };
    let mut out = known.blank(agent, call);
    if reading.gone {
        out.state = Some(leaving(reading).what);
        out.op = Some(Op::Ended);
    } else if thread.wait == wait::OUTSIDE {
        out.op = Some(Op::Running);
        out.state = Some("is outside MPI".to_owned());
    } else if thread.wait == wait::FINALIZE {
        out.op = Some(Op::Finalize);
    } else if matches!(thread.wait, wait::ALL | wait::ANY) {
        waiting(known, agent, reading, thread, &mut out);
    }
    out
}

fn waiting(
    known: &Known<'_>,
    agent: Agent,
    reading: &Reading,
    thread: &Thread,
    out: &mut AgentEntry,
) {
    let any = thread.wait == wait::ANY;
    out.wait = Some(if any { WaitKind::Any } else { WaitKind::All });
    let inline = &thread.inline[..(thread.inline_used as usize).min(2)];
    let copy = &reading.copy;
    if let [first, rest @ ..] = inline {
        out.op = Some(match rest {
            [] => sort(first),
            _ => Op::Sendrecv,
        });
        (out.comm, out.peer, out.tag) = envelope(reading, first);
        if first.peer == lay::ANY && first.kind != op::COLLECTIVE {
            out.wait = Some(WaitKind::Any);
        }
        for one in inline {
            out.waits_for
                .extend(partners(known, agent.rank, reading, one));
        }
        out.waits_for.sort_unstable();
        out.waits_for.dedup();
        return;
    }
    let mine = |o: &&lay::Op| o.kind != op::FREE && o.waiter == agent.thread + 1;
    let pending = copy.ops.iter().filter(mine);
    // Blocking collectives have an entry, too.
    let requests: Vec<&lay::Op> = pending.collect();
    if let [only] = requests[..]
        && only.flags & lay::flag::BLOCKING != 0
    {
        out.op = Some(sort(only));
        (out.comm, out.peer, out.tag) = envelope(reading, only);
        out.waits_for = partners(known, agent.rank, reading, only);
        return;
    }
    out.op = Some(Op::Wait);
    for one in requests {
        let (comm, peer, tag) = envelope(reading, one);
        let waits_for = partners(known, agent.rank, reading, one);
        out.waits_for.extend(waits_for.iter().cloned());
        out.requests.push(RequestEntry {
            op: Some(sort(one)),
            call: None,
            comm,
            peer,
            tag,
            waits_for,
            posted: known.posted(agent.rank, one.order),
            reason: None,
        });
    }
    out.waits_for.sort_unstable();
    out.waits_for.dedup();
}

fn sort(op: &lay::Op) -> Op {
    match op.kind {
        op::SEND | op::BSEND | op::RSEND => Op::Send,
        op::SSEND => Op::Ssend,
        op::RECV => Op::Recv,
        op::PROBE => Op::Probe,
        op::COLLECTIVE => Op::Collective,
        _ => Op::Wait,
    }
}

/// Name of the communicator, peer and tag.
fn envelope(reading: &Reading, one: &lay::Op) -> (Option<String>, Option<i32>, Option<i32>) {
    let comm = (one.comm as usize).checked_sub(1);
    let comm = comm.and_then(|c| reading.copy.comms.get(c));
    let name = comm.filter(|c| c.id != 0).map(|c| text(&c.name));
    match one.kind {
        op::COLLECTIVE => (name, (one.peer >= 0).then_some(one.peer), None),
        op::LOCAL => (name, None, None),
        _ => (name, Some(one.peer), Some(one.tag)),
    }
}

/// Who has to do something for it, by name, as far as known.
fn partners(known: &Known<'_>, me: WorldRank, reading: &Reading, one: &lay::Op) -> Vec<String> {
    let Some(comm) = (one.comm as usize).checked_sub(1) else {
        return Vec::new();
    };
    let ranks: Vec<WorldRank> = match (one.kind, u32::try_from(one.peer)) {
        (op::LOCAL, _) => Vec::new(),
        (op::COLLECTIVE, _) if one.is_persistent_collective() => Vec::new(),
        (op::COLLECTIVE, _) => missing(known, reading, comm, one.seq),
        (_, Ok(peer)) => world_rank_of(&reading.copy, comm, peer)
            .into_iter()
            .collect(),
        (_, Err(_)) => {
            let mut others = members(&reading.copy, comm);
            others.retain(|&r| r != me);
            others
        }
    };
    let agents: Vec<Agent> = ranks
        .into_iter()
        .take(NAMES)
        .map(|rank| Agent { rank, thread: 0 })
        .collect();
    // Which of a rank's threads will do it nobody knows.
    agents
        .into_iter()
        .map(|a| known.rank_name(a.rank))
        .collect()
}

/// The members of a communicator that have not begun its collective number `seq`.
fn missing(known: &Known<'_>, reading: &Reading, comm: usize, seq: u64) -> Vec<WorldRank> {
    let Some(id) = reading.copy.comms.get(comm).map(|c| c.id) else {
        return Vec::new();
    };
    let has_not = |rank: &WorldRank| {
        let theirs = known.readings.get(rank.0 as usize).and_then(Option::as_ref);
        let Some(theirs) = theirs else { return true };
        let comm = theirs.copy.comms.iter().find(|c| c.id == id);
        comm.is_some_and(|c| c.collectives <= seq)
    };
    members(&reading.copy, comm)
        .into_iter()
        .filter(has_not)
        .collect()
}
