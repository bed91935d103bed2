//! From a trace to the program of the abstract machine.
//!
//! # What is decided here
//! - **Virtual arrays.** A program that calls `MPI_Waitany` on what is left of an array names fewer requests each time. Had
//!   another request been told first, another one would be left. So a completion of several requests which names all that the last
//!   any-completion left is taken to name that one's, too; what was told already does not count.
//! - **Following.** If asked for, a call that names the source which a wildcard told before is taken to follow it: had the wildcard
//!   told another source, what the rank does from there on is not known.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use standoff_trace::event::{
    CommIndex, CommRank, Completion, Group, Matched, Recv, RequestId, Send, SendMode, Source,
    TagPattern, Told,
};
use standoff_trace::{Event, ReadError, Trace};

use crate::collectives::{Entry, instances};
use crate::program::{
    Asked, Kind, NONE, Need, Op, OpRef, Pattern, Program, RankProgram, Receive, Route, Wait,
};
use crate::result::Bound;
use crate::routes::route;
use crate::{Options, symmetry};

/// What a message takes of an attached buffer beside its bytes, at least (`MPI_BSEND_OVERHEAD` of MPICH, the smallest).
const OVERHEAD: u64 = 96;

/// A communicator as one rank sees it.
struct Comm {
    /// Number in [`Program::comms`].
    number: u32,
    local: Vec<u32>,
    remote: Option<Vec<u32>>,
    sources: Option<Vec<u32>>,
}

/// Everything of one rank while it is read.
struct Rank<'t> {
    rank: u32,
    comms: HashMap<CommIndex, Comm>,
    requests: HashMap<RequestId, u32>,
    messages: HashMap<u64, u32>,
    program: RankProgram,
    /// The virtual array of the last any-completion.
    array: Vec<u32>,
    told: HashSet<u32>,
    /// What is attached for buffered sends, and what those since then may take of it.
    room: Option<(u64, u64)>,
    /// Those sends.
    bsends: Vec<u32>,
    entries: &'t mut Vec<Entry>,
    bounds: &'t mut std::collections::BTreeSet<Bound>,
}

/// Compiles a run.
///
/// # Errors
/// [`ReadError::Unknown`]: an event names a communicator, rank, request or message that was never defined.
pub(crate) fn compile(trace: &Trace, options: &Options) -> Result<Program, ReadError> {
    let mut program = Program::default();
    let (mut numbers, mut entries) = (HashMap::new(), Vec::new());
    for (rank, content) in trace.ranks.iter().enumerate() {
        let mut state = Rank {
            rank: rank as u32,
            comms: HashMap::new(),
            requests: HashMap::new(),
            messages: HashMap::new(),
            program: RankProgram::default(),
            array: Vec::new(),
            told: HashSet::new(),
            room: None,
            bsends: Vec::new(),
            entries: &mut entries,
            bounds: &mut program.bounds,
        };
        let threads = content
            .records
            .iter()
            .any(|r| r.thread != content.records[0].thread);
        if threads {
            state.bounds.insert(Bound::Threads { rank: rank as u32 });
            state.push(0, Kind::Stop);
        }
        let mut finalized = threads;
        for (at, record) in content.records.iter().enumerate() {
            let unknown = || ReadError::Unknown {
                rank: rank as u32,
                event: at,
            };
            if let Event::Comm {
                index,
                id,
                group,
                remote,
                sources,
                ..
            } = &record.event
            {
                let world = |group: &Group<'_>| world(group, trace.ranks.len()).ok_or_else(unknown);
                let (local, remote) = (world(group)?, remote.as_ref().map(world).transpose()?);
                let number = *numbers.entry(*id).or_insert_with(|| {
                    let mut members = local.clone();
                    members.extend(remote.iter().flatten());
                    program.comms.push(members);
                    program.comms.len() as u32 - 1
                });
                let sources = sources
                    .as_ref()
                    .map(|list| list.iter().map(|r| r.0).collect());
                state.comms.insert(
                    *index,
                    Comm {
                        number,
                        local,
                        remote,
                        sources,
                    },
                );
                continue;
            }
            if finalized {
                continue;
            }
            finalized = record.event == Event::Finalize
                || matches!(record.event, Event::Unmodelled { acts: true, .. });
            state
                .event(at as u32, &record.event, trace.ranks.len())
                .ok_or_else(unknown)?;
        }
        if !finalized {
            state.bounds.insert(Bound::EndsEarly { rank: rank as u32 });
            state.push(content.records.len().saturating_sub(1) as u32, Kind::Stop);
        }
        let done = state.program;
        program.ranks.push(done);
    }
    instances(&mut program, entries);
    route(&mut program);
    for rank in &mut program.ranks {
        choices(rank, options.follow);
    }
    program.nondeterministic = program
        .ranks
        .iter()
        .flat_map(|r| &r.ops)
        .any(|op| match &op.kind {
            Kind::Recv(r) | Kind::Probe { receive: r, .. } => r.pattern.from.is_none(),
            Kind::Wait(wait) => wait.tells,
            _ => false,
        });
    if !program.nondeterministic {
        // Only choices need what could not be followed: see docs/algorithms/check-deterministic.md.
        program
            .bounds
            .retain(|bound| !matches!(bound, Bound::Collectives { .. }));
    }
    program.orbits = symmetry::orbits(&program);
    Ok(program)
}

/// World ranks of a group; `None` if one is not in the job.
pub(crate) fn world(group: &Group<'_>, size: usize) -> Option<Vec<u32>> {
    if group.len() > size {
        return None;
    }
    let member = |i| {
        group
            .world(CommRank(i))
            .map(|w| w.0)
            .filter(|&w| (w as usize) < size)
    };
    (0..group.len() as u32).map(member).collect()
}

impl Rank<'_> {
    fn push(&mut self, record: u32, kind: Kind) -> u32 {
        self.program.ops.push(Op { record, kind });
        self.program.ops.len() as u32 - 1
    }

    fn wait(&mut self, record: u32, list: &[u32], need: Need, poll: bool) -> u32 {
        self.wait_told(record, list, need, poll, &[])
    }

    fn wait_told(
        &mut self,
        record: u32,
        list: &[u32],
        need: Need,
        poll: bool,
        told: &[u32],
    ) -> u32 {
        let first = self.program.lists.len() as u32;
        self.program.lists.extend_from_slice(list);
        self.program.lists.extend_from_slice(told);
        let wait = Wait {
            first,
            len: list.len() as u32,
            told_at: first + list.len() as u32,
            told_len: told.len() as u32,
            need,
            tells: false,
            poll,
        };
        self.push(record, Kind::Wait(wait))
    }

    /// `None`: it names something that is not there.
    fn event(&mut self, record: u32, event: &Event<'_>, size: usize) -> Option<()> {
        if let Some(what) = event.asks() {
            self.program.asked.push(Asked {
                record,
                op: self.program.ops.len() as u32,
                what,
                found: match event {
                    Event::Complete { told, .. } => *told != Told::None,
                    Event::Probe { told, .. } => told.is_some(),
                    _ => false,
                },
            });
        }
        match event {
            Event::Send(send) => {
                let op = self.send(record, send)?;
                self.posted(record, op, send.request);
            }
            Event::Recv(recv) => {
                let op = self.recv(record, recv)?;
                self.posted(record, op, recv.request);
            }
            Event::Sendrecv { send, recv } => {
                let both = [self.send(record, send)?, self.recv(record, recv)?];
                match (send.request, recv.request) {
                    (Some(sent), Some(received)) => {
                        self.requests.extend([(sent, both[0]), (received, both[1])]);
                    }
                    _ => {
                        self.wait(record, &both, Need::All, false);
                    }
                }
            }
            Event::Probe {
                comm,
                from,
                tag,
                poll,
                told,
                message,
            } => {
                if *poll {
                    self.bounds.insert(Bound::Polls);
                }
                // A poll that saw nothing may always see nothing.
                if told.is_some() || !poll {
                    let receive = self.receive(*comm, *from, *tag, *told)?;
                    let op = self.push(
                        record,
                        Kind::Probe {
                            receive,
                            takes: message.is_some(),
                            poll: *poll,
                        },
                    );
                    if let Some(message) = message {
                        self.messages.insert(message.0, op);
                    }
                }
            }
            Event::Mrecv { message, request } => {
                let probe = *self.messages.get(&message.0)?;
                let op = self.push(record, Kind::Mrecv { probe });
                if let Some(request) = request {
                    self.requests.insert(*request, op);
                }
            }
            Event::Complete {
                call,
                requests,
                told,
            } => self.complete(record, *call, requests, told)?,
            Event::Cancel(_) => {
                self.bounds.insert(Bound::Procedure {
                    name: "MPI_Cancel".to_owned(),
                });
                self.push(record, Kind::Stop);
            }
            Event::Collective(c) => {
                let comm = self.comms.get(&c.comm)?;
                let members = match &c.members {
                    Some(group) => Some(world(group, size)?),
                    None => None,
                };
                let position = comm.local.iter().position(|&w| w == self.rank);
                let op = self.program.ops.len() as u32;
                self.entries.push(Entry {
                    comm: comm.number,
                    members,
                    intercomm: comm.remote.is_some(),
                    sources: comm.sources.clone(),
                    position: position.map_or(NONE, |p| p as u32),
                    at: OpRef {
                        rank: self.rank,
                        op,
                    },
                    kind: c.kind,
                    seq: c.seq,
                    start: c.start,
                    root: c.root,
                    flow: c.flow,
                    blocking: c.request.is_none(),
                });
                self.push(record, Kind::Enter { instance: NONE });
                self.posted(record, op, c.request);
            }
            Event::Unmodelled { name, acts } => {
                self.bounds.insert(Bound::Procedure {
                    name: name.clone().into_owned(),
                });
                if *acts {
                    self.push(record, Kind::Stop);
                }
            }
            Event::Site { .. }
            | Event::Comm { .. }
            | Event::Init { .. }
            | Event::Finalize
            | Event::RequestFree(_) => {}
            Event::Buffer { bytes } => self.buffer(record, *bytes),
        }
        Some(())
    }

    /// A buffer is attached; or (0) detached, which waits until all that is in it is delivered.
    fn buffer(&mut self, record: u32, bytes: u64) {
        let sends = std::mem::take(&mut self.bsends);
        self.room = (bytes > 0).then_some((bytes, 0));
        if bytes == 0 {
            // Said to be where the message was sent.
            let deliver: Vec<u32> = sends
                .into_iter()
                .map(|send| {
                    let record = self.program.ops[send as usize].record;
                    self.push(record, Kind::Deliver { send })
                })
                .collect();
            self.wait(record, &deliver, Need::All, false);
        }
    }

    fn posted(&mut self, record: u32, op: u32, request: Option<RequestId>) {
        match request {
            Some(request) => {
                self.requests.insert(request, op);
            }
            None => {
                self.wait(record, &[op], Need::All, false);
            }
        }
    }

    fn peer(&self, comm: CommIndex, rank: CommRank) -> Option<(u32, u32)> {
        let comm = self.comms.get(&comm)?;
        let group = comm.remote.as_ref().unwrap_or(&comm.local);
        Some((comm.number, *group.get(rank.0 as usize)?))
    }

    fn send(&mut self, record: u32, send: &Send) -> Option<u32> {
        let (comm, to) = self.peer(send.comm, send.to)?;
        let route = Route::Fixed(None);
        let op = self.push(
            record,
            Kind::Send {
                to,
                tag: send.tag,
                comm,
                mode: send.mode,
                route,
            },
        );
        if send.mode == SendMode::Buffered {
            self.bsends.push(op);
            if let Some((room, used)) = &mut self.room {
                *used += send.bytes + OVERHEAD;
                if used > room {
                    let (rank, room) = (self.rank, *room);
                    self.bounds.insert(Bound::Buffer { rank, room });
                }
            }
        }
        Some(op)
    }

    fn receive(
        &mut self,
        comm: CommIndex,
        from: Source,
        tag: TagPattern,
        told: Option<Matched>,
    ) -> Option<Receive> {
        let told = match told {
            Some(told) => Some((self.peer(comm, told.source)?.1, told.tag)),
            None => None,
        };
        let from = match from {
            Source::Any => None,
            Source::Rank(rank) => Some(self.peer(comm, rank)?.1),
        };
        let tag = match tag {
            TagPattern::Any => None,
            TagPattern::Tag(tag) => Some(tag),
        };
        let pattern = Pattern { from, tag };
        let comm = self.comms.get(&comm)?.number;
        Some(Receive {
            pattern,
            comm,
            route: Route::Fixed(None),
            told,
            follows: NONE,
            bound: false,
        })
    }

    fn recv(&mut self, record: u32, recv: &Recv) -> Option<u32> {
        let receive = self.receive(recv.comm, recv.from, recv.tag, recv.told)?;
        Some(self.push(record, Kind::Recv(receive)))
    }

    fn complete(
        &mut self,
        record: u32,
        call: Completion,
        requests: &[RequestId],
        told: &Told<'_>,
    ) -> Option<()> {
        use Completion as C;
        let list: Option<Vec<u32>> = requests
            .iter()
            .map(|r| self.requests.get(r).copied())
            .collect();
        let list = list?;
        let (need, poll) = match call {
            C::Wait | C::Waitall => (Need::All, false),
            C::Waitany => (Need::Any, false),
            C::Waitsome => (Need::Some, false),
            C::Test | C::Testall => (Need::All, true),
            C::Testany => (Need::Any, true),
            C::Testsome => (Need::Some, true),
        };
        if poll {
            self.bounds.insert(Bound::Polls);
        }
        let told: Cow<'_, [(u32, Option<Matched>)]> = match told {
            // A poll that found nothing may always find nothing. A call that found no active request does nothing.
            Told::None if poll || need != Need::All => return Some(()),
            Told::None => Cow::Owned(Vec::new()),
            Told::All(list) => list
                .iter()
                .map(|&(at, matched)| (at, Some(matched)))
                .collect(),
            Told::Some(list) => Cow::Borrowed(list),
        };
        for &(at, matched) in told.iter() {
            let op = *list.get(at as usize)? as usize;
            let (Kind::Recv(receive), Some(matched)) = (&self.program.ops[op].kind, matched) else {
                continue;
            };
            // A comm number is an index of this program; find the rank's own view of it again.
            let comm = self.comms.values().find(|c| c.number == receive.comm)?;
            let group = comm.remote.as_ref().unwrap_or(&comm.local);
            let source = *group.get(matched.source.0 as usize)?;
            if let Kind::Recv(receive) = &mut self.program.ops[op].kind {
                receive.told = Some((source, matched.tag));
            }
        }
        if matches!(call, C::Wait | C::Test) {
            self.wait(record, &list, need, poll);
            return Some(());
        }
        let mut array = list.clone();
        let mut left = self
            .array
            .iter()
            .filter(|op| !self.told.contains(op))
            .peekable();
        if left.peek().is_some() && left.all(|op| list.contains(op)) {
            array.extend(self.array.iter().filter(|op| !list.contains(op)));
        }
        let told: Vec<u32> = told.iter().map(|&(at, _)| list[at as usize]).collect();
        self.wait_told(
            record,
            &array,
            need,
            poll,
            if need == Need::All { &[] } else { &told },
        );
        if need == Need::All {
            self.array.clear();
            self.told.clear();
        } else {
            self.told.retain(|op| array.contains(op));
            self.told.extend(told);
            self.array = array;
        }
        Some(())
    }
}

/// Which choices of a rank matter later, and what follows them.
fn choices(rank: &mut RankProgram, follow: bool) {
    // Operations that were complete before a wait for all of them are inactive ever after.
    let mut inactive: HashSet<u32> = HashSet::new();
    for op in &mut rank.ops {
        if let Kind::Wait(wait) = &mut op.kind {
            let range = wait.first as usize..(wait.first + wait.len) as usize;
            let list = &mut rank.lists[range];
            list.sort_by_key(|op| inactive.contains(op));
            wait.len = list.iter().filter(|op| !inactive.contains(op)).count() as u32;
            if wait.need == Need::All {
                inactive.extend(&list[..wait.len as usize]);
            }
        }
    }
    if follow {
        for at in 1..rank.ops.len() {
            let (before, rest) = rank.ops.split_at_mut(at);
            if let (
                Some(Op {
                    kind:
                        Kind::Probe {
                            receive: probe,
                            takes: false,
                            ..
                        },
                    ..
                }),
                Kind::Recv(r),
            ) = (before.last(), &mut rest[0].kind)
                && let (None, Some((source, tag))) = (probe.pattern.from, probe.told)
                && r.comm == probe.comm
                && r.pattern.from == Some(source)
                && r.pattern.tag.is_none_or(|own| own == tag)
            {
                r.bound = true;
            }
        }
    }
    let mut later: HashSet<u32> = HashSet::new();
    // The next operation that names a rank, by rank.
    let mut named: HashMap<u32, u32> = HashMap::new();
    for at in (0..rank.ops.len()).rev() {
        let mut told = Vec::new();
        match &mut rank.ops[at].kind {
            Kind::Send { to, .. } => {
                named.insert(*to, at as u32);
            }
            Kind::Recv(r) if r.pattern.from.is_some() && !r.bound => {
                named.extend(r.pattern.from.map(|from| (from, at as u32)));
            }
            Kind::Probe { receive, .. } if receive.pattern.from.is_none() => {
                if let Some((source, _)) = receive.told.filter(|_| follow) {
                    receive.follows = named.remove(&source).unwrap_or(NONE);
                }
            }
            Kind::Wait(wait) => {
                let list = &rank.lists[wait.first as usize..(wait.first + wait.len) as usize];
                if wait.need != Need::All {
                    // Which one it tells may decide what the rank does next, even if it never asks again.
                    wait.tells = list.len() > 1 || list.iter().any(|op| later.contains(op));
                    later.extend(list);
                }
                told.extend_from_slice(list);
            }
            _ => {}
        }
        for op in told {
            if let Kind::Recv(r) = &mut rank.ops[op as usize].kind
                && r.pattern.from.is_none()
                && let Some((source, _)) = r.told.filter(|_| follow)
                && r.follows == NONE
            {
                r.follows = named.remove(&source).unwrap_or(NONE);
            }
        }
    }
}
