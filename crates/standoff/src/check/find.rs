//! From a witness of the search to a finding of the report.

use std::cell::RefCell;
use std::collections::BTreeSet;

use standoff_check::{Action, Stuck, Witness};
use standoff_report::sources::{FileSources, Sources};
use standoff_report::{AgentEntry, Cause, Finding, FindingKind, Frame, Op, WaitKind};
use standoff_trace::event::{CommIndex, Place, SendMode, SiteId, Source, TagPattern};
use standoff_trace::{Event, RankTrace};

use super::recording::Execution;
use crate::monitor::names::{rust_call, user_call};
use crate::monitor::native::Native;
use crate::monitor::report::ranks;
use crate::monitor::stacks::{own_native, relative};

/// What has become of a partner that is waited for in vain.
const LEFT: &str = "finished";
/// Steps of the schedule that are shown.
const SHOWN: usize = 16;

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
    out.schedule = schedule(execution, witness);
    out.explanation = explanation(execution, witness);
    out.advice = advice(execution, witness);
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

/// The schedule in lines.
pub fn schedule(execution: &Execution, witness: &Witness) -> Vec<String> {
    let lines = Lines::new(execution);
    let native = |rank: u32, address: u64| {
        let frame = lines.native(rank, address)?;
        Some(format!("{}:{}", frame.file?, frame.line?))
    };
    let schedule = standoff_check::schedule(&execution.trace, witness, &native);
    let mut out: Vec<String> = schedule
        .lines
        .iter()
        .take(SHOWN)
        .map(|line| format!("{}. {line}", line.number))
        .collect();
    let more = schedule.lines.len().saturating_sub(SHOWN) + schedule.left_out;
    if more > 0 {
        out.push(format!("({more} more steps)"));
    }
    out
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

/// The sends on which members of the core wait, with their sizes.
fn sends(execution: &Execution, witness: &Witness) -> Vec<(u32, u64)> {
    let core = witness
        .stuck
        .iter()
        .filter(|s| witness.core.contains(&s.rank));
    core.flat_map(|s| {
        let rank = &execution.trace.ranks[s.rank as usize];
        let sends = s.operations.iter().filter_map(|&o| standard_send(rank, o));
        sends.map(|bytes| (s.rank, bytes)).collect::<Vec<_>>()
    })
    .collect()
}

fn explanation(execution: &Execution, witness: &Witness) -> String {
    let mut text = Vec::new();
    let sends = sends(execution, witness);
    if !sends.is_empty() {
        let who: BTreeSet<u32> = sends.iter().map(|s| s.0).collect();
        let who: Vec<u32> = who.into_iter().collect();
        let largest = sends.iter().map(|s| s.1).max().unwrap_or(0);
        let verb = if who.len() == 1 { "waits" } else { "wait" };
        let size = if largest == 1 {
            "1 byte".to_owned()
        } else {
            format!("{largest} bytes")
        };
        text.push(format!(
            "{} {verb} for a standard send to be received. In the recorded run the library buffered these messages (of up to {size}); MPI \
             does not promise that.",
            capital(&ranks(&who)),
        ));
    }
    let chosen: Vec<(u32, u32)> = witness
        .steps
        .iter()
        .filter(|s| matches!(s.action, Action::Receives { .. } | Action::Sees { .. }))
        .filter(|s| wildcard(&execution.trace.ranks[s.rank as usize], s.event))
        .map(|s| (s.rank, s.event))
        .collect();
    if !chosen.is_empty() {
        let who: BTreeSet<u32> = chosen.iter().map(|c| c.0).collect();
        let who: Vec<u32> = who.into_iter().collect();
        text.push(format!(
            "Receives from any source on {} may take their messages in another order than in the recorded run.",
            ranks(&who)
        ));
    }
    if witness.steps.iter().any(|s| s.action == Action::LeftEarly) {
        text.push("A rank may leave a collective before all have entered it.".to_owned());
    }
    if text.is_empty() {
        text.push("A collective may make its members wait for each other.".to_owned());
    }
    text.join(" ")
}

fn advice(execution: &Execution, witness: &Witness) -> Vec<String> {
    let mut advice = Vec::new();
    if !sends(execution, witness).is_empty() {
        advice.push(
            "Do not rely on buffering: swap the send and the receive on one side, use MPI_Sendrecv (comm.sendrecv), or post the receive with \
             MPI_Irecv (comm.irecv) before the send."
                .to_owned(),
        );
    }
    let any = witness.steps.iter().any(|s| {
        matches!(s.action, Action::Receives { .. } | Action::Sees { .. })
            && wildcard(&execution.trace.ranks[s.rank as usize], s.event)
    });
    if any {
        advice.push(
            "Name the source where it is known, or tell kinds of messages apart by their tags, so that a receive cannot take a message that is meant \
             for another."
                .to_owned(),
        );
    }
    if advice.is_empty() {
        advice.push(
            "Put the collectives in the same place among the messages on all ranks.".to_owned(),
        );
    }
    advice
}

fn wildcard(rank: &RankTrace, event: u32) -> bool {
    match rank.records.get(event as usize).map(|r| &r.event) {
        Some(Event::Recv(recv) | Event::Sendrecv { recv, .. }) => recv.from == Source::Any,
        Some(Event::Probe { from, .. }) => *from == Source::Any,
        _ => false,
    }
}

/// A deadlock that the program had when it was forced into another execution.
pub fn of_forced_run(mut live: Finding) -> Finding {
    live.kind = FindingKind::PotentialDeadlock;
    live.confirmed = true;
    live.explanation = format!(
        "Receives from any source may take their messages in another order than in the recorded run; the program was made to, and hung. {}",
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

fn capital(text: &str) -> String {
    standoff_mpi::format::capital(text)
}

/// Source lines of an execution's call sites.
struct Lines<'a> {
    execution: &'a Execution,
    native: RefCell<Native>,
    sources: FileSources,
}

impl<'a> Lines<'a> {
    fn new(execution: &'a Execution) -> Lines<'a> {
        Lines {
            execution,
            native: RefCell::new(Native::default()),
            sources: FileSources::new("."),
        }
    }

    fn native(&self, rank: u32, address: u64) -> Option<Frame> {
        let modules = self.execution.modules.get(rank as usize)?.as_ref()?;
        // Each rank has a list of its own: a number that no process has tells them apart.
        let key = -1 - i32::try_from(rank).ok()?;
        let frames = self
            .native
            .borrow_mut()
            .lines(key, modules, address.checked_sub(1)?);
        let mut frames = [frames.into_iter().find(own_native)?];
        relative(&mut frames);
        let [frame] = frames;
        Some(frame)
    }

    fn frame(&self, rank: u32, site: SiteId) -> Option<Frame> {
        match self.execution.trace.ranks.get(rank as usize)?.place(site)? {
            Place::Native(address) => self.native(rank, *address),
            Place::Script {
                file,
                line,
                function,
            } => {
                let mut frames = [Frame::at(file.as_ref(), *line, function.as_ref())];
                relative(&mut frames);
                let [frame] = frames;
                Some(frame)
            }
        }
    }

    fn comm(&self, rank: &RankTrace, comm: CommIndex, before: u32) -> Option<String> {
        rank.records[..before as usize]
            .iter()
            .rev()
            .find_map(|r| match &r.event {
                Event::Comm { index, name, .. } if *index == comm => {
                    Some(name.clone().into_owned())
                }
                _ => None,
            })
    }

    fn entry(&self, stuck: &Stuck) -> AgentEntry {
        let rank = &self.execution.trace.ranks[stuck.rank as usize];
        let record = &rank.records[stuck.event as usize];
        // What it waits for may have been posted earlier.
        let about = stuck.operations.first().copied().unwrap_or(stuck.event);
        let said = standoff_check::call(&record.event);
        let call = said.split(' ').next().unwrap_or_default().to_owned();
        let frame = self.frame(stuck.rank, record.site);
        let written = frame.as_ref().and_then(|f| {
            let file = f.file.as_deref()?;
            let line = self.sources.line(file, f.line?)?;
            match file.rsplit('.').next() {
                Some("py") => user_call(&call, &line),
                Some("rs") => rust_call(&call, &line),
                _ => None,
            }
        });
        let mut entry = AgentEntry {
            agent: format!("rank {}", stuck.rank),
            rank: stuck.rank,
            call,
            user_call: written,
            wait: Some(if stuck.any {
                WaitKind::Any
            } else {
                WaitKind::All
            }),
            stack: frame.into_iter().collect(),
            waits_for: stuck
                .waits_for
                .iter()
                .map(|r| format!("rank {r}"))
                .collect(),
            ..AgentEntry::default()
        };
        let (comm, peer, tag, op) = match &rank.records[about as usize].event {
            Event::Send(send) | Event::Sendrecv { send, .. } => (
                Some(send.comm),
                Some(send.to.0 as i32),
                Some(send.tag),
                Op::Send,
            ),
            Event::Recv(recv) => (
                Some(recv.comm),
                Some(source(recv.from)),
                Some(tag(recv.tag)),
                Op::Recv,
            ),
            Event::Probe {
                comm, from, tag: t, ..
            } => (Some(*comm), Some(source(*from)), Some(tag(*t)), Op::Probe),
            Event::Collective(c) => (Some(c.comm), None, None, Op::Collective),
            _ => (None, None, None, Op::Wait),
        };
        entry.op = Some(op);
        entry.comm = comm.and_then(|comm| self.comm(rank, comm, about));
        entry.peer = peer;
        entry.tag = tag;
        entry
    }
}

fn source(from: Source) -> i32 {
    match from {
        Source::Rank(rank) => rank.0 as i32,
        Source::Any => -1,
    }
}

fn tag(tag: TagPattern) -> i32 {
    match tag {
        TagPattern::Tag(tag) => tag,
        TagPattern::Any => -1,
    }
}
