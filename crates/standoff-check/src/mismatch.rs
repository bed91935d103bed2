//! What the ranks of a run did not agree on: collectives that differ in reduction, type or count; messages that are longer than the room
//! of their receive, or of another basic type.
//!
//! # Definition
//! MPI 4.1, 3.3.1: the type signatures of a message and its receive must match; 6: the members of a collective must give the same count and type signature,
//! and the same reduction. Compared are sizes in bytes, and element types as far as [`Basic`] tells them apart.
//!
//! # Which message a receive took
//! Messages of one class (communicator, sender, receiver, tag) are taken in the order sent, and receives that take messages of one class do so in the
//! order posted (MPI 4.1, 3.5). So the nth message of a class went to the nth receive, or matched probe, that was told this class.
//!
//! # What is never reported falsely
//! Nothing is said of the messages of a rank that cancelled an operation, that called MPI from several threads, or that made a call which the record does
//! not follow; and of those to a rank that has, on the same communicator, a wildcard receive whose message is not known.
//!
//! # What it may miss
//! All of that; messages taken by `MPI_Mrecv`; collectives with arrays of counts or of neighbours, and those on intercommunicators.

use std::collections::{BTreeMap, HashMap, HashSet};

use standoff_trace::event::{
    CommId, CommIndex, CommRank, Matched, Recv, RequestId, Send, Signature, SiteId, Source,
    TagPattern, Told,
};
use standoff_trace::{Basic, Event, RankTrace, Trace};

use crate::Warning;
use crate::compile::world;

/// Communicator, sender, receiver, tag.
type Class = (CommId, u32, u32, i32);

/// One side of a message.
#[derive(Clone, Copy)]
struct Side {
    event: u32,
    site: SiteId,
    /// `None`: not known.
    bytes: Option<u64>,
    basic: Basic,
}

/// A communicator as one rank sees it: those whom it sends to and receives from.
struct Comm {
    id: CommId,
    peers: Vec<u32>,
}

#[derive(Default)]
struct Messages {
    sent: BTreeMap<Class, Vec<Side>>,
    taken: HashMap<Class, Vec<Side>>,
    /// Receivers on communicators, of which not everything is known.
    unclear: HashSet<(CommId, u32)>,
    /// Ranks of which too little is known.
    left_out: HashSet<u32>,
}

/// All mismatches of a run, sorted; of calls at the same places one.
#[must_use]
pub fn mismatches(trace: &Trace) -> Vec<Warning> {
    let mut found = collectives(trace);
    let mut messages = Messages::default();
    for (rank, content) in (0u32..).zip(&trace.ranks) {
        if messages.read(rank, content, trace.ranks.len()).is_none() {
            messages.left_out.insert(rank);
        }
    }
    found.extend(messages.compare());
    found.sort();
    found
}

fn differ(send: &Side, recv: &Side) -> bool {
    let (Some(sent), Some(room)) = (send.bytes, recv.bytes) else {
        return false;
    };
    sent > room || sent > 0 && send.basic.differs(recv.basic)
}

impl Messages {
    fn compare(self) -> Vec<Warning> {
        let (mut out, mut told) = (Vec::new(), HashSet::new());
        for (class, sent) in &self.sent {
            let &(comm, from, to, _) = class;
            if self.left_out.contains(&from)
                || self.left_out.contains(&to)
                || self.unclear.contains(&(comm, to))
            {
                continue;
            }
            let taken = self.taken.get(class).into_iter().flatten();
            for (send, recv) in sent.iter().zip(taken) {
                if differ(send, recv) && told.insert((from, to, send.site, recv.site)) {
                    out.push(Warning::Message {
                        from: (from, send.event),
                        to: (to, recv.event),
                    });
                }
            }
        }
        out
    }

    /// `None`: too little is known of the rank.
    fn read(&mut self, rank: u32, content: &RankTrace, size: usize) -> Option<()> {
        let received = received(content);
        let mut comms: HashMap<CommIndex, Comm> = HashMap::new();
        for (at, record) in (0u32..).zip(&content.records) {
            if record.thread != content.records[0].thread {
                return None;
            }
            let side = |bytes: Option<u64>, basic| Side {
                event: at,
                site: record.site,
                bytes,
                basic,
            };
            match &record.event {
                Event::Comm {
                    index,
                    id,
                    group,
                    remote,
                    ..
                } => {
                    let peers = world(remote.as_ref().unwrap_or(group), size)?;
                    comms.insert(*index, Comm { id: *id, peers });
                }
                Event::Send(send) => self.send(rank, &comms, send, side)?,
                Event::Recv(recv) => self.recv(rank, &comms, recv, &received, side)?,
                Event::Sendrecv { send, recv } => {
                    self.send(rank, &comms, send, side)?;
                    self.recv(rank, &comms, recv, &received, side)?;
                }
                Event::Probe {
                    comm,
                    told: Some(told),
                    message: Some(_),
                    ..
                } => {
                    let comm = comms.get(comm)?;
                    self.take(rank, comm, *told, side(None, Basic::UNKNOWN))?;
                }
                Event::Cancel(_) | Event::Unmodelled { acts: true, .. } => return None,
                _ => {}
            }
        }
        Some(())
    }

    fn send(
        &mut self,
        rank: u32,
        comms: &HashMap<CommIndex, Comm>,
        send: &Send,
        side: impl Fn(Option<u64>, Basic) -> Side,
    ) -> Option<()> {
        let comm = comms.get(&send.comm)?;
        let to = peer(comm, send.to)?;
        let class = (comm.id, rank, to, send.tag);
        let side = side(known(send.bytes, send.persistent), send.basic);
        self.sent.entry(class).or_default().push(side);
        Some(())
    }

    fn recv(
        &mut self,
        rank: u32,
        comms: &HashMap<CommIndex, Comm>,
        recv: &Recv,
        received: &HashMap<RequestId, Matched>,
        side: impl Fn(Option<u64>, Basic) -> Side,
    ) -> Option<()> {
        let comm = comms.get(&recv.comm)?;
        let told = match (recv.from, recv.tag) {
            (Source::Rank(source), TagPattern::Tag(tag)) => Some(Matched { source, tag }),
            _ => recv.told.or_else(|| received.get(&recv.request?).copied()),
        };
        let side = side(known(recv.bytes, recv.persistent), recv.basic);
        match told {
            Some(told) => self.take(rank, comm, told, side)?,
            None => drop(self.unclear.insert((comm.id, rank))),
        }
        Some(())
    }

    fn take(&mut self, rank: u32, comm: &Comm, told: Matched, side: Side) -> Option<()> {
        let class = (comm.id, peer(comm, told.source)?, rank, told.tag);
        self.taken.entry(class).or_default().push(side);
        Some(())
    }
}

fn peer(comm: &Comm, rank: CommRank) -> Option<u32> {
    comm.peers.get(rank.0 as usize).copied()
}

/// Sizes of persistent messages are recorded up to 4 GiB.
fn known(bytes: u64, persistent: bool) -> Option<u64> {
    (!persistent || bytes < u64::from(u32::MAX)).then_some(bytes)
}

/// What nonblocking receives were told, where that is not the same as asked for.
fn received(content: &RankTrace) -> HashMap<RequestId, Matched> {
    let mut out = HashMap::new();
    for record in &content.records {
        let Event::Complete { requests, told, .. } = &record.event else {
            continue;
        };
        let mut tell = |at: u32, matched: Matched| {
            if let Some(request) = requests.get(at as usize) {
                out.insert(*request, matched);
            }
        };
        match told {
            Told::None => {}
            Told::All(list) => list.iter().for_each(|&(at, matched)| tell(at, matched)),
            Told::Some(list) => {
                for &(at, matched) in list.iter() {
                    if let Some(matched) = matched {
                        tell(at, matched);
                    }
                }
            }
        }
    }
    out
}

/// (rank, event, signature) of the members that a collective was recorded of, and where they called it.
type Instance = (Vec<(u32, u32, Signature)>, Vec<(u32, SiteId)>);

fn collectives(trace: &Trace) -> Vec<Warning> {
    let mut instances: BTreeMap<_, Instance> = BTreeMap::new();
    for (rank, content) in (0u32..).zip(&trace.ranks) {
        let mut comms: HashMap<CommIndex, CommId> = HashMap::new();
        for (at, record) in (0u32..).zip(&content.records) {
            match &record.event {
                Event::Comm { index, id, .. } => {
                    comms.insert(*index, *id);
                }
                Event::Collective(c) => {
                    if let (Some(signature), Some(&comm)) = (c.signature, comms.get(&c.comm)) {
                        // Those that differ in operation or root are told of elsewhere.
                        let key = (comm, c.seq, c.kind, c.root);
                        let (members, places) = instances.entry(key).or_default();
                        members.push((rank, at, signature));
                        places.push((rank, record.site));
                    }
                }
                _ => {}
            }
        }
    }
    let mut told = HashSet::new();
    let mut out = Vec::new();
    for ((_, _, kind, _), (members, places)) in instances {
        if !agree(members.iter().map(|m| m.2)) && told.insert(places) {
            out.push(Warning::Signature { kind, members });
        }
    }
    out
}

/// Whether members of a collective agree: all sizes, all known types and all known reductions are the same.
#[must_use]
pub fn agree(members: impl Iterator<Item = Signature> + Clone) -> bool {
    let signatures = || members.clone();
    let sizes = signatures().map(|s| s.bytes);
    let types = signatures().filter(|s| s.bytes > 0).map(|s| s.basic);
    let types = types.filter(|&basic| basic != Basic::UNKNOWN);
    let reductions = signatures().map(|s| s.reduction).filter(|&r| r != 0);
    same(sizes) && same(types) && same(reductions)
}

fn same<T: PartialEq>(mut all: impl Iterator<Item = T>) -> bool {
    let Some(first) = all.next() else {
        return true;
    };
    all.all(|one| one == first)
}
