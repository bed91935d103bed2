//! Findings of the analysis, joined with stacks and what else is known, as parts of the report.

use std::collections::{BTreeMap, BTreeSet};

use standoff_board::layout::{self as lay, Header, state};
use standoff_board::read::text;
use standoff_mpi::picture::{CommId, Root, SendMode, WorldRank};
use standoff_mpi::{Agent, Blocked, BlockedOp, Departure, Finding as Found, OpKind, Peer, Picture};
use standoff_report::{
    Abi, AgentEntry, CallEntry, Cause, Finding, FindingKind, Frame, MpiInfo, Op, RequestEntry,
    WaitKind,
};

use standoff_report::sources::{FileSources, Sources};

use super::destructors::{destructors, unmark};
use super::failures::{Left, dead_thread, leaving};
use super::names::{rust_call, spelling, user_call};
use super::picture::{self, Reading};
use super::places::{Places, in_words};
use super::spoken::Words;
use super::stacks::Stacks;
use super::stall::STALL;

/// What is known of a world beside the picture.
#[derive(Debug)]
pub struct Known<'a> {
    /// Number of the world.
    pub world: u32,
    /// By world rank.
    pub readings: &'a [Option<Reading>],
    /// Of the ranks that were asked.
    pub stacks: Stacks,
    /// Where they called MPI before.
    pub places: Places<'a>,
    /// The user's source files.
    pub sources: FileSources,
}

/// Names listed one by one; above, neighbours are put together (`ranks 2-511`).
const NAMES: usize = 64;

/// Ranks whose stacks the findings need.
pub fn wanted(found: &[Found]) -> Vec<usize> {
    let waiting = found.iter().flat_map(|f| f.core.iter().chain(&f.victims));
    let mut ranks: Vec<usize> = waiting.map(|b| b.agent.rank.0 as usize).collect();
    ranks.extend(found.iter().flat_map(|f| &f.ended).map(|r| r.0 as usize));
    ranks.sort_unstable();
    ranks.dedup();
    ranks
}

/// `rank 3`, `ranks 1 and 5–7`.
pub fn ranks(list: &[u32]) -> String {
    let word = if list.len() == 1 { "rank" } else { "ranks" };
    format!(
        "{word} {}",
        standoff_report::ranks::ranks(list.iter().copied())
    )
}

/// The library, as a board tells it.
pub fn mpi(header: &Header) -> Option<MpiInfo> {
    let abi = match header.abi {
        lay::abi::MPICH => Abi::Mpich,
        lay::abi::OPENMPI => Abi::Openmpi,
        lay::abi::STANDARD => Abi::Standard,
        _ => return None,
    };
    Some(MpiInfo {
        library: short_library(&text(&header.library)),
        abi,
    })
}

/// Libraries say much about themselves; their name and version are enough.
fn short_library(said: &str) -> String {
    let said = said.split(',').next().unwrap_or(said);
    let said = said
        .replace(" Version:", "")
        .replace(" Library", "")
        .replace("Open MPI v", "Open MPI ");
    said.split(" package:")
        .next()
        .unwrap_or(&said)
        .trim()
        .to_owned()
}

/// A deadlock.
pub fn deadlock(found: &Found, picture: &Picture, known: &Known<'_>) -> Finding {
    finding(FindingKind::Deadlock, found, picture, known)
}

/// A stall: the same shape, but only a heuristic. `polls`: who does not wait, but asks again and again.
pub fn stalled(
    found: &Found,
    picture: &Picture,
    known: &Known<'_>,
    polls: &dyn Fn(&Agent) -> bool,
) -> Finding {
    let mut out = finding(FindingKind::Stalled, found, picture, known);
    out.confirmed = false;
    let asking = found.closure.iter().filter(|a| polls(a));
    let who: BTreeSet<u32> = asking.map(|a| a.rank.0).collect();
    let who: Vec<u32> = who.into_iter().collect();
    out.explanation = format!(
        "This is likely, not proven: who polls is awake, and may stop polling or do something else at any moment. If that does not happen: {}",
        out.explanation
    );
    out.assumption = Some(format!(
        "for {} s {} got nothing from any poll, all of them from one place, and nobody was seen who could complete what is polled for",
        STALL.as_secs(),
        ranks(&who),
    ));
    out
}

fn finding(kind: FindingKind, found: &Found, picture: &Picture, known: &Known<'_>) -> Finding {
    let mut out = Finding::new(kind);
    out.core = found.core.iter().map(|b| known.entry(b)).collect();
    out.core.extend(found.ended.iter().map(|&r| known.left(r)));
    out.core.sort_by_key(|e| (e.rank, e.thread));
    out.victims = found.victims.iter().map(|b| known.entry(b)).collect();
    out.causes = found.ended.iter().map(|&r| known.cause(r)).collect();
    out.causes.extend(known.dead_threads(&out.core));
    out.cycle = found.cycle.iter().map(|&a| known.name(a)).collect();
    let words = Words::new(&out.core);
    out.mismatch = found
        .mismatches
        .iter()
        .flat_map(|m| {
            m.variants.iter().map(|v| {
                let who: Vec<u32> = v.ranks.iter().map(|r| r.0).collect();
                let verb = if who.len() == 1 { "calls" } else { "call" };
                let root = match v.root {
                    Root::Rank(r) => format!(" with root {}", r.0),
                    Root::Me => " with MPI_ROOT".to_owned(),
                    Root::Null => " with MPI_PROC_NULL".to_owned(),
                    Root::None => String::new(),
                };
                let call = standoff_mpi::format::collective(v.kind, v.blocking);
                let call = words
                    .other(&call)
                    .map_or(call.clone(), |word| format!("{word} ({call})"));
                format!("{} {verb} {call}{root} on {}", ranks(&who), m.comm_name)
            })
        })
        .collect();
    if found.has_may {
        out.assumption = Some(
            "a call in this set is one that an MPI library may let go on by itself (by buffering a message, \
             or letting a rank leave a collective early). This one has not, while every rank \
             of the set stood still and had processor time"
                .to_owned(),
        );
    }
    out.explanation = words.spoken(standoff_mpi::explain(found, picture));
    // What the picture does not know: how they came to be there.
    if let [first, rest @ ..] = &out.causes[..found.ended.len()]
        && first.what != "finished"
        && rest.iter().all(|cause| cause.what == first.what)
    {
        let sit = if rest.is_empty() { "sits" } else { "sit" };
        let known = format!("{}, {sit} in MPI_Finalize", first.what);
        out.explanation = out
            .explanation
            .replace("already finished (MPI_Finalize)", &known);
    }
    for sentence in known.before(found, &out) {
        out.explanation += &format!(" {sentence}");
    }
    unmark(&mut out.core);
    unmark(&mut out.victims);
    let spelling = spelling(&out.core);
    let left = &out.causes[..found.ended.len()];
    out.advice = standoff_mpi::advise(found, picture, spelling, departure(left));
    for advice in &mut out.advice {
        words.advise(advice, spelling);
    }
    out
}

/// How those who left did so, if it is known of all.
fn departure(causes: &[Cause]) -> Option<Departure> {
    let exits = ["raised SystemExit", "called sys.exit"];
    let way = |cause: &Cause| {
        let what = &cause.what;
        if exits.iter().any(|exit| what.starts_with(exit)) {
            Some(Departure::Exited)
        } else {
            what.starts_with("raised ").then_some(Departure::Raised)
        }
    };
    let ways: Option<Vec<Departure>> = causes.iter().map(way).collect();
    let ways = ways.filter(|ways| !ways.is_empty())?;
    Some(match ways.contains(&Departure::Raised) {
        true => Departure::Raised,
        false => Departure::Exited,
    })
}

impl Known<'_> {
    fn header(&self, rank: WorldRank) -> Option<&Header> {
        Some(&self.readings.get(rank.0 as usize)?.as_ref()?.copy.header)
    }

    fn threads(&self, rank: WorldRank) -> usize {
        let reading = self.readings.get(rank.0 as usize).and_then(Option::as_ref);
        reading.map_or(0, |r| r.copy.threads.iter().filter(|t| t.used == 1).count())
    }

    /// `rank 3`, of another world `world 1 rank 3`.
    pub fn rank_name(&self, rank: WorldRank) -> String {
        match self.world {
            0 => format!("rank {}", rank.0),
            w => format!("world {w} rank {}", rank.0),
        }
    }

    /// An agent's name: the thread is named where there are several.
    fn name(&self, agent: Agent) -> String {
        let rank = self.rank_name(agent.rank);
        if self.threads(agent.rank) > 1 {
            format!("{rank} thread {}", agent.thread)
        } else {
            rank
        }
    }

    pub(super) fn names(&self, agents: &[Agent], ended: &[WorldRank]) -> Vec<String> {
        let mut all: Vec<Agent> = agents.to_vec();
        all.extend(ended.iter().map(|&rank| Agent { rank, thread: 0 }));
        all.sort_unstable();
        all.dedup();
        let plain = self.world == 0 && all.iter().all(|a| self.threads(a.rank) <= 1);
        if !plain || all.len() <= NAMES {
            return all.into_iter().map(|a| self.name(a)).collect();
        }
        let mut out = Vec::new();
        let mut rest = all.iter().map(|a| a.rank.0).peekable();
        while let Some(from) = rest.next() {
            let mut to = from;
            while rest.next_if_eq(&(to + 1)).is_some() {
                to += 1;
            }
            out.push(match to {
                to if to == from => format!("rank {from}"),
                to => format!("ranks {from}-{to}"),
            });
        }
        out
    }

    fn stack(&self, agent: Agent) -> Vec<Frame> {
        self.stacks
            .frames
            .get(&(agent.rank.0 as usize, agent.thread as usize))
            .cloned()
            .unwrap_or_default()
    }

    /// What the user wrote for a call.
    pub fn written(&self, rank: WorldRank, call: &str, frame: &Frame) -> Option<String> {
        let python = self.header(rank).is_some_and(|h| h.python != 0);
        let file = frame.file.as_deref()?;
        let named = match (python, file.ends_with(".rs")) {
            (true, _) => user_call,
            (false, true) => rust_call,
            (false, false) => return None,
        };
        named(call, &self.sources.line(file, frame.line?)?)
    }

    /// A blank entry of an agent.
    pub(super) fn blank(&self, agent: Agent, call: &str) -> AgentEntry {
        let stack = self.stack(agent);
        let written = stack
            .first()
            .and_then(|f| self.written(agent.rank, call, f));
        AgentEntry {
            agent: self.name(agent),
            rank: agent.rank.0,
            thread: (self.threads(agent.rank) > 1).then_some(agent.thread),
            world: self.world,
            call: call.to_owned(),
            user_call: written,
            stack,
            calls: self.calls(agent),
            ..AgentEntry::default()
        }
    }

    /// The last calls of an agent.
    fn calls(&self, agent: Agent) -> Vec<CallEntry> {
        let reading = self.readings.get(agent.rank.0 as usize);
        let Some(reading) = reading.and_then(Option::as_ref) else {
            return Vec::new();
        };
        let Some(thread) = reading.copy.threads.get(agent.thread as usize) else {
            return Vec::new();
        };
        let written = |call: &str, frame: &Frame| self.written(agent.rank, call, frame);
        let rank = agent.rank.0 as usize;
        let stack = self.stacks.frames.get(&(rank, agent.thread as usize));
        let top = stack.and_then(|stack| stack.first());
        self.places.calls(rank, reading, thread, top, &written)
    }

    /// What led here: loops in which ranks parted, and the last calls of those that left.
    fn before(&self, found: &Found, finding: &Finding) -> Vec<String> {
        let all = finding.core.iter().chain(&finding.victims);
        let waiting: Vec<&AgentEntry> = all
            .filter(|e| e.op != Some(Op::Ended))
            .take(NAMES)
            .collect();
        let ended = &found.ended[..found.ended.len().min(NAMES)];
        let mut out = destructors(&finding.core);
        out.extend(self.handling(found));
        out.extend(self.places.partings(&waiting, ended));
        let mut last: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for entry in finding.core.iter().filter(|e| e.op == Some(Op::Ended)) {
            // Libraries clean up after the user's last call: from no place in the user's code.
            if let Some(words) = entry.calls.iter().find_map(in_words) {
                last.entry(words).or_default().push(entry.rank);
            }
        }
        out.extend(last.into_iter().take(3).map(|(words, who)| {
            let whose = ranks(&who);
            format!("The last communication of {whose} was {words}.")
        }));
        out
    }

    /// Agents of the core that are where they are because of an exception: in a handler, `finally` or `__exit__`, where others may not be.
    fn handling(&self, found: &Found) -> Vec<String> {
        let mut who: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for agent in found.core.iter().map(|b| b.agent) {
            let known = &self.stacks.handling;
            let Some((error, at)) = known.get(&(agent.rank.0 as usize, agent.thread as usize))
            else {
                continue;
            };
            let what = match error.as_str() {
                "GeneratorExit" => "cleaning up after a generator that was closed early".to_owned(),
                error => {
                    let place = at.first().and_then(super::places::at);
                    let place = place.map_or(String::new(), |place| format!(", raised at {place}"));
                    format!("handling {error}{place}")
                }
            };
            who.entry(what).or_default().push(agent.rank.0);
        }
        let say = |(what, mut who): (String, Vec<u32>)| {
            who.dedup();
            let is = if who.len() == 1 { "is" } else { "are" };
            super::places::capital(&format!("{} {is} {what}.", ranks(&who)))
        };
        who.into_iter().take(3).map(say).collect()
    }

    /// Where an operation was posted.
    pub(super) fn posted(&self, rank: WorldRank, id: u64) -> Option<Frame> {
        let reading = self.readings.get(rank.0 as usize)?.as_ref()?;
        let op = reading.copy.ops.iter().find(|op| op.order == id)?;
        self.places.line(rank.0 as usize, op.place)
    }

    /// The sender's end of a channel, if the last message on it had this tag.
    pub fn channel(
        &self,
        from: WorldRank,
        to: WorldRank,
        comm: CommId,
        tag: i32,
    ) -> Option<&lay::Channel> {
        let copy = &self.readings.get(from.0 as usize)?.as_ref()?.copy;
        let index = 1 + copy.comms.iter().position(|c| c.id == comm.0)?;
        let peer = picture::comm_rank_of(copy, index - 1, to)?;
        copy.sent
            .iter()
            .find(|c| c.comm as usize == index && c.peer == peer && c.tag == tag)
    }

    /// Where the last message of a channel was sent, if it had this tag.
    pub fn sent_at(
        &self,
        from: WorldRank,
        to: WorldRank,
        comm: CommId,
        tag: i32,
    ) -> Option<String> {
        let channel = self.channel(from, to, comm, tag)?;
        let frame = self.places.line(from.0 as usize, channel.place)?;
        Some(format!("{}:{}", frame.file?, frame.line?))
    }

    fn entry(&self, blocked: &Blocked) -> AgentEntry {
        let mut out = self.blank(blocked.agent, &blocked.function);
        out.wait = Some(match blocked.need {
            standoff_mpi::picture::Need::All => WaitKind::All,
            standoff_mpi::picture::Need::Any => WaitKind::Any,
        });
        let on_requests = ["MPI_Wait", "MPI_Test"]
            .iter()
            .any(|p| blocked.function.starts_with(p));
        let mut agents: Vec<Agent> = Vec::new();
        let mut ended: Vec<WorldRank> = Vec::new();
        for op in &blocked.ops {
            agents.extend(op.waits_for.iter());
            ended.extend(op.ended.iter());
        }
        out.waits_for = self.names(&agents, &ended);
        if let Some(op) = blocked.ops.first() {
            out.op = Some(match op.kind {
                _ if on_requests => Op::Wait,
                _ if blocked.function.starts_with("MPI_Sendrecv") => Op::Sendrecv,
                // The messages of a reduction are not the program's.
                _ if op.private => Op::Collective,
                kind => sort(kind),
            });
            out.comm = Some(op.comm_name.clone());
            out.peer = peer(op);
            out.tag = tag(op).filter(|_| !op.private);
            out.reason = Some(self.reason(blocked.agent.rank, op));
            // From any source: one of them is enough.
            if matches!(op.peer, Peer::Any) && blocked.ops.len() == 1 {
                out.wait = Some(WaitKind::Any);
            }
        } else {
            out.op = Some(Op::Finalize);
            out.comm = Some("MPI_COMM_WORLD".to_owned());
        }
        if on_requests {
            out.requests = blocked
                .ops
                .iter()
                .map(|op| RequestEntry {
                    op: Some(sort(op.kind)),
                    call: None,
                    comm: Some(op.comm_name.clone()),
                    peer: peer(op),
                    tag: tag(op),
                    waits_for: self.names(&op.waits_for, &op.ended),
                    posted: self.posted(blocked.agent.rank, op.id),
                    reason: Some(self.reason(blocked.agent.rank, op)),
                })
                .collect();
        }
        out
    }

    /// A rank that left and is waited for.
    fn left(&self, rank: WorldRank) -> AgentEntry {
        let inside = self
            .header(rank)
            .is_some_and(|h| h.state == state::FINALIZING);
        let cause = self.cause(rank);
        AgentEntry {
            agent: self.rank_name(rank),
            rank: rank.0,
            world: self.world,
            call: if inside {
                "MPI_Finalize".to_owned()
            } else {
                String::new()
            },
            op: Some(Op::Ended),
            state: Some(cause.what),
            stack: cause.stack,
            calls: self.calls(Agent { rank, thread: 0 }),
            ..AgentEntry::default()
        }
    }

    /// Where a native program called MPI_Finalize, if it is in there: it tells which way out a rank took. (Python calls it at its end,
    /// from nowhere in the user's code.)
    fn finalize(&self, rank: WorldRank) -> Vec<Frame> {
        let reading = self.readings.get(rank.0 as usize).and_then(Option::as_ref);
        let native = reading.filter(|r| r.copy.header.python == 0);
        let thread = native.and_then(|r| {
            let mut threads = (0u32..).zip(&r.copy.threads);
            threads.find(|(_, t)| t.used == 1 && t.wait == lay::wait::FINALIZE)
        });
        thread.map_or_else(Vec::new, |(thread, _)| self.stack(Agent { rank, thread }))
    }

    /// Threads that died in ranks of the core: what they would have done, others may be waiting for.
    fn dead_threads(&self, core: &[AgentEntry]) -> Vec<Cause> {
        let mut ranks: Vec<u32> = core.iter().map(|e| e.rank).collect();
        ranks.sort_unstable();
        ranks.dedup();
        let dead = |rank: u32| {
            let reading = self.readings.get(rank as usize)?.as_ref()?;
            Some(dead_thread(reading)?.cause(self.world, rank))
        };
        ranks.into_iter().filter_map(dead).collect()
    }

    /// Why a rank is no longer there.
    fn cause(&self, rank: WorldRank) -> Cause {
        let reading = self.readings.get(rank.0 as usize).and_then(Option::as_ref);
        let mut left = reading.map_or_else(
            || Left {
                what: "left".to_owned(),
                ..Left::default()
            },
            leaving,
        );
        if left.stack.is_empty() {
            left.stack = self.finalize(rank);
        }
        left.cause(self.world, rank.0)
    }
}

fn sort(kind: OpKind) -> Op {
    match kind {
        OpKind::Receive => Op::Recv,
        OpKind::Probe => Op::Probe,
        OpKind::Send(SendMode::Synchronous) => Op::Ssend,
        OpKind::Send(_) => Op::Send,
        OpKind::Collective { .. } => Op::Collective,
    }
}

fn peer(op: &BlockedOp) -> Option<i32> {
    match (op.peer, op.kind) {
        (Peer::Any, _) => Some(-1),
        (Peer::Rank { comm, .. }, _) => i32::try_from(comm.0).ok(),
        (
            Peer::None,
            OpKind::Collective {
                root: Root::Rank(r),
                ..
            },
        ) => i32::try_from(r.0).ok(),
        (Peer::None, _) => None,
    }
}

fn tag(op: &BlockedOp) -> Option<i32> {
    match op.kind {
        OpKind::Collective { .. } => None,
        _ => Some(op.tag.unwrap_or(-1)),
    }
}
