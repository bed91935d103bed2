//! From copies of boards to the picture that the analysis reads.
//!
//! What cannot be told is said to be unknown: a member of a communicator that does not (yet, or any longer) have it, a
//! channel whose two ends do not subtract to a multiset, a rank that is moving.

use std::collections::{BTreeMap, HashMap};

use super::report;
use crate::sys::End;
use standoff_board::digest::Digest;
use standoff_board::functions;
use standoff_board::layout::{self as lay, flag, op, root, state, wait};
use standoff_board::read::{Copy, text};
use standoff_mpi::picture::{
    Call, CollectiveKind, CollectiveRecord, CommId, CommPicture, CommRank, Group, Need, Neighbours,
    Op, Operation, Persistent, Picture, RankPicture, RankState, Root, SendMode, Source, Tags,
    ThreadPicture, Unmatched, Wait, WorldRank,
};

/// What was read of one rank.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The copy of its board.
    pub copy: Copy,
    /// It changed while the boards were copied.
    pub moving: bool,
    /// Threads that its probe did not see start, where any may call MPI.
    pub unseen_threads: u32,
    /// Its process has ended.
    pub gone: bool,
    /// How, if the system tells.
    pub end: Option<End>,
}

impl Reading {
    /// Threads that have not called MPI so far and may.
    pub fn others(&self) -> u32 {
        match self.copy.header.thread_level {
            0 | 1 => 0,
            _ => {
                let known = self.copy.header.other_threads;
                known.saturating_add(self.unseen_threads)
            }
        }
    }
}

/// How threads that poll are to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polls {
    /// They are outside MPI and may act.
    Act,
    /// Those that have only polled in vain since the given round wait for what they poll (for the heuristic `stalled`).
    Wait,
}

/// The picture of one job. `readings` by world rank; `pollers` tells which (rank, slot) count as waiting.
pub fn picture(
    world: u32,
    readings: &[Option<Reading>],
    pollers: &dyn Fn(usize, usize) -> Polls,
) -> Picture {
    let mut ranks: Vec<RankPicture> = readings
        .iter()
        .enumerate()
        .map(|(rank, reading)| match reading {
            Some(reading) => rank_picture(reading, &|slot| pollers(rank, slot)),
            None => not_joined(),
        })
        .collect();
    tell_apart(&mut ranks);
    let unmatched = unmatched(readings, &ranks);
    Picture {
        world,
        ranks,
        unmatched,
    }
}

/// Communicators of one name, such as the parts of one split, get their members beside it.
fn tell_apart(ranks: &mut [RankPicture]) {
    let mut ids: BTreeMap<&str, BTreeMap<CommId, &Group>> = BTreeMap::new();
    for comm in ranks.iter().flat_map(|rank| &rank.comms) {
        // The two sides of an intercommunicator would call it by different names.
        if comm.remote.is_none() && comm.name != "MPI_COMM_SELF" {
            ids.entry(&comm.name)
                .or_default()
                .insert(comm.id, &comm.group);
        }
    }
    let shared = ids.values().filter(|ids| ids.len() > 1).flatten();
    let members: HashMap<CommId, String> = shared
        .filter_map(|(&id, group)| Some((id, report::ranks(&listed(group)?))))
        .collect();
    for comm in ranks.iter_mut().flat_map(|rank| &mut rank.comms) {
        if let Some(members) = members.get(&comm.id) {
            comm.name += &format!(" ({members})");
        }
    }
}

/// World ranks of a group; `None`: not known.
fn listed(group: &Group) -> Option<Vec<u32>> {
    match group {
        &Group::Strided { first, stride, len } => {
            let rank = |i: u32| i64::from(first) + i64::from(i) * i64::from(stride);
            (0..len).map(|i| u32::try_from(rank(i)).ok()).collect()
        }
        Group::List(list) => Some(list.iter().map(|rank| rank.0).collect()),
        Group::Unknown => None,
    }
}

fn not_joined() -> RankPicture {
    RankPicture {
        state: RankState::NotJoined,
        moving: false,
        tainted: None,
        comms: Vec::new(),
        ops: Vec::new(),
        persistent: Vec::new(),
        threads: Vec::new(),
        other_threads: 0,
    }
}

fn rank_picture(reading: &Reading, pollers: &dyn Fn(usize) -> Polls) -> RankPicture {
    let copy = &reading.copy;
    let header = &copy.header;
    let comms: Vec<CommPicture> = copy
        .comms
        .iter()
        .filter(|c| c.id != 0)
        .map(|c| comm_picture(c, &copy.arena))
        .collect();
    let totals: HashMap<(u32, u32), u64> = copy
        .sent
        .iter()
        .filter(|c| c.comm != 0)
        .map(|c| ((c.comm, c.peer), c.total))
        .collect();
    // Messages sent on the channel after this one, but for those that are known to have another tag, being still here as requests.
    let later = |o: &lay::Op| {
        let total = totals.get(&(o.comm, u32::try_from(o.peer).ok()?))?;
        let later = total.saturating_sub(o.seq);
        let sends = [op::SEND, op::SSEND, op::BSEND, op::RSEND];
        let other = |p: &&lay::Op| {
            let follows = (p.comm, p.peer) == (o.comm, o.peer) && p.seq > o.seq;
            follows && p.tag != o.tag && sends.contains(&p.kind)
        };
        let others = match later {
            0 => 0,
            _ => copy.ops.iter().filter(other).count() as u64,
        };
        (o.seq != 0).then(|| later.saturating_sub(others))
    };
    let mut ops: Vec<Operation> = copy
        .ops
        .iter()
        .filter(|o| o.kind != op::FREE && o.flags & flag::INACTIVE == 0)
        .map(|o| operation(o, copy, later(o)))
        .collect();
    let persistent = copy.ops.iter().filter_map(|o| persistent(o, copy));
    let persistent = persistent.collect();
    let mut threads = Vec::new();
    for (slot, thread) in copy.threads.iter().enumerate() {
        if thread.used != 1 {
            // Has exited; stays listed, as the order of what several threads posted is not certain.
            threads.push(ThreadPicture {
                thread: slot as u32,
                call: None,
                not_an_agent: true,
            });
            continue;
        }
        let inline = &thread.inline[..(thread.inline_used as usize).min(2)];
        let mut waits_for: Vec<u64> = Vec::new();
        let mut wait = thread.wait;
        let mut unknown = thread.unknown;
        match wait {
            wait::ALL | wait::ANY if !inline.is_empty() => {
                for o in inline {
                    ops.push(operation(o, copy, later(o)));
                    waits_for.push(o.order);
                }
            }
            wait::ALL | wait::ANY => {
                let mine = |o: &&lay::Op| o.kind != op::FREE && o.waiter == slot as u32 + 1;
                waits_for.extend(copy.ops.iter().filter(mine).map(|o| o.order));
            }
            wait::OUTSIDE
                if pollers(slot) == Polls::Wait && thread.poll_kind & lay::poll::UNKNOWN == 0 =>
            {
                unknown = 0;
                if thread.poll_kind & lay::poll::PROBE != 0 {
                    // Its order is that of no operation of the board.
                    let probe = lay::Op {
                        order: u64::MAX - slot as u64,
                        ..thread.inline[0]
                    };
                    ops.push(operation(&probe, copy, None));
                    waits_for.push(probe.order);
                }
                let polled = |o: &&lay::Op| {
                    o.kind != op::FREE
                        && o.flags & flag::INACTIVE == 0
                        && o.polled == thread.poll_round
                };
                if thread.poll_kind & lay::poll::REQUESTS != 0 {
                    waits_for.extend(copy.ops.iter().filter(polled).map(|o| o.order));
                }
                if !waits_for.is_empty() {
                    wait = match thread.poll_kind == lay::poll::REQUESTS | lay::poll::EACH {
                        true => wait::ALL,
                        false => wait::ANY,
                    };
                }
            }
            _ => {}
        }
        let wait = match wait {
            wait::OUTSIDE => None,
            wait::ALL | wait::ANY => Some(Wait::Operations {
                need: if wait == wait::ALL {
                    Need::All
                } else {
                    Need::Any
                },
                ops: waits_for,
                unknown_requests: unknown,
            }),
            wait::FINALIZE => Some(Wait::Finalize),
            _ => Some(Wait::Free),
        };
        threads.push(ThreadPicture {
            thread: slot as u32,
            call: wait.map(|wait| Call {
                function: functions::name(thread.function)
                    .unwrap_or("an MPI procedure")
                    .to_owned(),
                wait,
            }),
            // Below MPI_THREAD_SERIALIZED only the thread that initialized MPI may call it.
            not_an_agent: header.thread_level < 2 && slot != 0,
        });
    }
    ops.sort_by_key(|o| o.id);
    RankPicture {
        state: rank_state(reading),
        moving: reading.moving,
        tainted: (header.taint != 0).then(|| text(&header.taint_why)),
        comms,
        ops,
        persistent,
        threads,
        other_threads: reading.others(),
    }
}

fn rank_state(reading: &Reading) -> RankState {
    let header = &reading.copy.header;
    match (reading.gone, header.exit) {
        (true, 0) if header.state == state::FINALIZED => RankState::Exited(None),
        (true, 0) if header.state == state::ABORTING => RankState::Aborting,
        (true, 0) => RankState::Killed,
        (true, status) => RankState::Exited(i32::try_from(status - 1).ok()),
        (false, _) => match header.state {
            state::FINALIZING | state::FINALIZED => RankState::Finalized,
            state::ABORTING => RankState::Aborting,
            _ => RankState::Running,
        },
    }
}

fn comm_picture(comm: &lay::Comm, arena: &[u32]) -> CommPicture {
    let mut history: Vec<CollectiveRecord> = comm
        .history
        .iter()
        .filter(|h| h.seq1 != 0)
        .filter_map(|h| {
            Some(CollectiveRecord {
                seq: h.seq1 - 1,
                kind: collective_kind(h.collective)?,
                root: root_of(h.root),
                blocking: h.blocking != 0,
            })
        })
        .collect();
    history.sort_by_key(|h| h.seq);
    CommPicture {
        id: CommId(comm.id),
        name: text(&comm.name),
        private: comm.private != 0,
        my_rank: CommRank(comm.rank),
        group: group(comm.group, arena),
        remote: (comm.inter != 0).then(|| group(comm.remote, arena)),
        collectives: comm.collectives,
        history,
        neighbours: neighbours(comm, arena),
    }
}

fn neighbours(comm: &lay::Comm, arena: &[u32]) -> Option<Neighbours> {
    let list = |[len, at]: [u32; 2]| {
        let from = (at != u32::MAX).then_some(at as usize)?;
        let list = arena.get(from..from.checked_add(len as usize)?)?;
        Some(list.iter().map(|&r| CommRank(r)).collect())
    };
    Some(Neighbours {
        sources: list(comm.sources)?,
        destinations: list(comm.destinations)?,
    })
}

fn group(group: lay::Group, arena: &[u32]) -> Group {
    match group.stride {
        lay::Group::UNKNOWN => Group::Unknown,
        lay::Group::LISTED => {
            let from = group.first as usize;
            match from
                .checked_add(group.len as usize)
                .and_then(|to| arena.get(from..to))
            {
                Some(list) => Group::List(list.iter().map(|&r| WorldRank(r)).collect()),
                None => Group::Unknown,
            }
        }
        stride => Group::Strided {
            first: group.first,
            stride,
            len: group.len,
        },
    }
}

/// Identity of the communicator of an operation.
fn comm_of(o: &lay::Op, copy: &Copy) -> Option<CommId> {
    let comm = copy.comms.get((o.comm as usize).checked_sub(1)?)?;
    (comm.id != 0).then_some(CommId(comm.id))
}

fn persistent(o: &lay::Op, copy: &Copy) -> Option<Persistent> {
    let it = Some(o).filter(|o| o.is_persistent_collective())?;
    Some(Persistent {
        comm: comm_of(it, copy)?,
        seq: it.seq,
        kind: collective_kind(it.collective)?,
        root: root_of(it.peer),
        starts: it.starts(),
    })
}

fn operation(o: &lay::Op, copy: &Copy, later_same_class: Option<u64>) -> Operation {
    let comm = comm_of(o, copy);
    let peer = CommRank(o.peer.max(0) as u32);
    let tag = (o.tag != lay::ANY).then_some(o.tag);
    let from = if o.peer == lay::ANY {
        Source::Any
    } else {
        Source::Rank(peer)
    };
    let send = |mode| Op::Send {
        comm,
        to: peer,
        tag: o.tag,
        mode,
        later_same_class,
    };
    let what = match o.kind {
        op::SEND => send(SendMode::Standard),
        op::SSEND => send(SendMode::Synchronous),
        op::BSEND => send(SendMode::Buffered),
        op::RSEND => send(SendMode::Ready),
        op::RECV => Op::Recv { comm, from, tag },
        op::PROBE => Op::Probe { comm, from, tag },
        op::COLLECTIVE => match collective_kind(o.collective) {
            Some(kind) => Op::Collective {
                comm,
                seq: o.seq,
                kind,
                root: root_of(o.peer),
                blocking: o.flags & flag::BLOCKING != 0,
                start: o
                    .is_persistent_collective()
                    .then(|| o.starts().saturating_sub(1)),
                data: o.flags & flag::DATA != 0,
                members: o.members().map(|members| group(members, &copy.arena)),
            },
            None => Op::Opaque,
        },
        op::LOCAL if o.comm != 0 => Op::Local,
        _ => Op::Opaque,
    };
    Operation {
        id: o.order,
        op: what,
        cancelled: o.flags & flag::CANCELLED != 0,
        half: o
            .other_half()
            .and_then(|half| Some(copy.ops.get(half as usize)?.order)),
        chosen: match o.kind {
            op::RECV => o.seq.checked_sub(1).map(|source| CommRank(source as u32)),
            _ => None,
        },
    }
}

fn root_of(r: i32) -> Root {
    match r {
        root::ME => Root::Me,
        root::NULL => Root::Null,
        r => u32::try_from(r).map_or(Root::None, |r| Root::Rank(CommRank(r))),
    }
}

/// The operation by its number on the board.
pub fn collective_kind(n: u8) -> Option<CollectiveKind> {
    CollectiveKind::ALL.get(n as usize).copied()
}

/// One end of a channel, by (communicator, peer).
type Ends<'a> = HashMap<(u64, u32), &'a lay::Channel>;

fn ends<'a>(copy: &'a Copy, channels: &'a [lay::Channel]) -> Ends<'a> {
    channels
        .iter()
        .filter_map(|c| {
            let comm = copy.comms.get((c.comm as usize).checked_sub(1)?)?;
            (comm.id != 0).then_some(((comm.id, c.peer), c))
        })
        .collect()
}

fn member(group: &Group, rank: u32) -> Option<u32> {
    match group {
        Group::Strided { first, stride, len } if rank < *len => {
            u32::try_from(i64::from(*first) + i64::from(rank) * i64::from(*stride)).ok()
        }
        Group::List(list) => list.get(rank as usize).map(|r| r.0),
        _ => None,
    }
}

/// The rank by which a member of the world is reached on a communicator, given by its index on the board.
pub fn comm_rank_of(copy: &Copy, comm: usize, world: WorldRank) -> Option<u32> {
    let comm = comm_picture(copy.comms.get(comm)?, &copy.arena);
    let side = comm.remote.as_ref().unwrap_or(&comm.group);
    (0..size(side)).find(|&r| member(side, r) == Some(world.0))
}

/// The rank in the world of a rank that is reached on a communicator.
pub fn world_rank_of(copy: &Copy, comm: usize, rank: u32) -> Option<WorldRank> {
    let comm = comm_picture(copy.comms.get(comm)?, &copy.arena);
    let side = comm.remote.as_ref().unwrap_or(&comm.group);
    member(side, rank).map(WorldRank)
}

/// Everybody who takes part in a communicator, as far as known.
pub fn members(copy: &Copy, comm: usize) -> Vec<WorldRank> {
    let Some(comm) = copy.comms.get(comm) else {
        return Vec::new();
    };
    let comm = comm_picture(comm, &copy.arena);
    let side = |group: &Group| -> Vec<WorldRank> {
        (0..size(group))
            .filter_map(|r| member(group, r))
            .map(WorldRank)
            .collect()
    };
    let mut all = side(&comm.group);
    all.extend(comm.remote.as_ref().map(side).unwrap_or_default());
    all
}

fn size(group: &Group) -> u32 {
    match group {
        Group::Strided { len, .. } => *len,
        Group::List(list) => list.len() as u32,
        Group::Unknown => 0,
    }
}

/// Messages in flight: what senders counted less what receivers counted.
fn unmatched(readings: &[Option<Reading>], ranks: &[RankPicture]) -> Vec<Unmatched> {
    let comms: Vec<HashMap<u64, &CommPicture>> = ranks
        .iter()
        .map(|r| r.comms.iter().map(|c| (c.id.0, c)).collect())
        .collect();
    let received: Vec<Ends<'_>> = readings
        .iter()
        .map(|r| {
            r.as_ref()
                .map(|r| ends(&r.copy, &r.copy.received))
                .unwrap_or_default()
        })
        .collect();
    let mut out: HashMap<(u64, u32, u32), Tags> = HashMap::new();
    let mut seen: HashMap<(u64, u32, u32), ()> = HashMap::new();
    for (s, reading) in readings.iter().enumerate() {
        let Some(reading) = reading else { continue };
        for (&(id, peer), &sent) in &ends(&reading.copy, &reading.copy.sent) {
            let comm = comms[s][&id];
            let side = comm.remote.as_ref().unwrap_or(&comm.group);
            let Some(to) = member(side, peer).filter(|&to| (to as usize) < ranks.len()) else {
                continue;
            };
            let other = received[to as usize].get(&(id, comm.my_rank.0));
            let lost = sent.unknown != 0
                || other.is_some_and(|o| o.unknown != 0)
                || !comms[to as usize].contains_key(&id);
            let none = Digest::default();
            let tags = if lost {
                None
            } else {
                sent.all_tags()
                    .minus(&other.map_or(none, |o| o.all_tags()))
                    .decode()
            };
            let key = (id, s as u32, to);
            seen.insert(key, ());
            match tags {
                Some(known) if known.is_empty() => {}
                Some(known) => drop(out.insert(key, Tags::Known(known))),
                None => drop(out.insert(key, Tags::Unknown)),
            }
        }
    }
    for d in (0..readings.len()).filter(|&d| readings[d].is_some()) {
        // Received and never counted as sent: the two ends do not speak of the same thing.
        for (&(id, peer), &end) in &received[d] {
            let comm = comms[d][&id];
            let side = comm.remote.as_ref().unwrap_or(&comm.group);
            if let Some(from) = member(side, peer) {
                let key = (id, from, d as u32);
                if !seen.contains_key(&key) && (end.unknown != 0 || end.total != 0) {
                    out.insert(key, Tags::Unknown);
                }
            }
        }
        // A partner that does not have the communicator has freed it, or is still making it: it may have sent on it before.
        for o in &ranks[d].ops {
            let (Op::Recv {
                comm: Some(id),
                from,
                ..
            }
            | Op::Probe {
                comm: Some(id),
                from,
                ..
            }) = &o.op
            else {
                continue;
            };
            let Some(comm) = comms[d].get(&id.0) else {
                continue;
            };
            let side = comm.remote.as_ref().unwrap_or(&comm.group);
            let sources = match from {
                Source::Rank(r) => r.0..r.0 + 1,
                Source::Any => 0..size(side),
            };
            for from in sources.filter_map(|r| member(side, r)) {
                if comms
                    .get(from as usize)
                    .is_some_and(|c| !c.contains_key(&id.0))
                {
                    out.insert((id.0, from, d as u32), Tags::Unknown);
                }
            }
        }
    }
    let mut out: Vec<Unmatched> = out
        .into_iter()
        .map(|((comm, from, to), tags)| Unmatched {
            comm: CommId(comm),
            from: WorldRank(from),
            to: WorldRank(to),
            tags,
        })
        .collect();
    out.sort_by_key(|u| (u.comm, u.from, u.to));
    out
}
