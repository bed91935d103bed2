//! The recorded control flow, as the abstract machine runs it.
//!
//! A call that posts something and waits for it is two operations here: one that posts and never blocks, one that waits.

use std::collections::BTreeSet;

use standoff_trace::event::SendMode;

use crate::result::Bound;

/// No operation, no rank, no limit.
pub(crate) const NONE: u32 = u32::MAX;

/// An operation of a rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct OpRef {
    pub(crate) rank: u32,
    pub(crate) op: u32,
}

/// All ranks.
#[derive(Debug, Default)]
pub(crate) struct Program {
    /// By world rank.
    pub(crate) ranks: Vec<RankProgram>,
    pub(crate) mailboxes: Vec<Mailbox>,
    pub(crate) instances: Vec<Instance>,
    /// Members of each communicator, by world rank; both groups of an intercommunicator.
    pub(crate) comms: Vec<Vec<u32>>,
    /// Why the result holds for less than all executions of the control flow.
    pub(crate) bounds: BTreeSet<Bound>,
    /// Some choice is open: a wildcard source, a told request that matters.
    pub(crate) nondeterministic: bool,
    /// Ranks with equal numbers can be exchanged; `NONE`: with nobody.
    pub(crate) orbits: Vec<u32>,
}

impl Program {
    /// Ranks with a wildcard receive of which no outcome is recorded.
    pub(crate) fn never_completed(&self) -> impl Iterator<Item = u32> + '_ {
        let never = |op: &Op| matches!(&op.kind, Kind::Recv(r) if r.pattern.from.is_none() && r.told.is_none());
        let ranks = self.ranks.iter().enumerate();
        ranks
            .filter(move |(_, rank)| rank.ops.iter().any(never))
            .map(|(rank, _)| rank as u32)
    }
}

impl Program {
    /// Ranks that wait for more than so many requests, of which any number may be told at once.
    pub(crate) fn together(&self, most: usize) -> impl Iterator<Item = u32> + '_ {
        let many = move |op: &Op| matches!(&op.kind, Kind::Wait(wait) if wait.need == Need::Some && wait.len as usize > most);
        let ranks = self.ranks.iter().enumerate();
        ranks
            .filter(move |(_, rank)| rank.ops.iter().any(many))
            .map(|(rank, _)| rank as u32)
    }
}

/// One rank.
#[derive(Debug, Default)]
pub(crate) struct RankProgram {
    pub(crate) ops: Vec<Op>,
    /// Operations that waits name, see [`Kind::Wait`].
    pub(crate) lists: Vec<u32>,
    /// Calls that asked and did not wait.
    pub(crate) asked: Vec<Asked>,
}

/// `MPI_Test`, `MPI_Iprobe` or one of their kin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    /// The record.
    pub(crate) record: u32,
    /// The next operation then.
    pub(crate) op: u32,
    /// For what ([`standoff_trace::Event::asks`]).
    pub(crate) what: u64,
    pub(crate) found: bool,
}

/// An operation.
#[derive(Clone, Debug)]
pub(crate) struct Op {
    /// The record it comes from.
    pub(crate) record: u32,
    pub(crate) kind: Kind,
}

/// A pattern for messages; `None` is a wildcard. Sources are world ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) from: Option<u32>,
    pub(crate) tag: Option<i32>,
}

impl Pattern {
    pub(crate) fn accepts(self, from: u32, tag: i32) -> bool {
        self.from.is_none_or(|own| own == from) && self.tag.is_none_or(|own| own == tag)
    }
}

/// What an operation does.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Send {
        to: u32,
        tag: i32,
        comm: u32,
        mode: SendMode,
        route: Route,
    },
    Recv(Receive),
    /// Waits until a message can be seen; takes it out of the mailbox if `takes`. `poll`: the program did not block here, it asked.
    Probe {
        receive: Receive,
        takes: bool,
        poll: bool,
    },
    /// Receives what the probe at this place took. Never blocks.
    Mrecv {
        probe: u32,
    },
    /// Asks for the delivery of a buffered send. Never blocks.
    Deliver {
        send: u32,
    },
    /// Enters a collective. Never blocks.
    Enter {
        instance: u32,
    },
    Wait(Wait),
    /// From here on the rank may do anything.
    Stop,
}

/// A receive, or what a probe looks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Receive {
    pub(crate) pattern: Pattern,
    pub(crate) comm: u32,
    pub(crate) route: Route,
    /// What the recorded run received.
    pub(crate) told: Option<(u32, i32)>,
    /// If another source is received, the operation that follows the recorded one (`NONE`: none).
    pub(crate) follows: u32,
    /// Source and tag are those that the probe before it was told.
    pub(crate) bound: bool,
}

/// A wait for operations: `len` of the rank's `lists` from `first` on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wait {
    pub(crate) first: u32,
    pub(crate) len: u32,
    /// What a wait for any told in the recorded run: `told_len` of the rank's `lists` from here on; none if not recorded.
    pub(crate) told_at: u32,
    pub(crate) told_len: u32,
    pub(crate) need: Need,
    /// Which operation is told matters for a later wait.
    pub(crate) tells: bool,
    /// The program did not block here, it asked.
    pub(crate) poll: bool,
}

/// How many operations a wait needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    All,
    /// One, and tells one.
    Any,
    /// One, and tells as many as it likes.
    Some,
}

/// How a message is matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// Always with this operation; `None`: with none.
    Fixed(Option<OpRef>),
    /// As it comes, in this mailbox.
    Mailbox(u32),
}

/// Messages on one communicator to one rank that posts a wildcard receive there.
#[derive(Debug)]
pub(crate) struct Mailbox {
    pub(crate) owner: u32,
    /// (sender, its sends to this mailbox as (operation, tag) in order), by sender.
    pub(crate) senders: Vec<(u32, Vec<(u32, i32)>)>,
}

impl Mailbox {
    /// Whether `from` has a send for the pattern at operation `pc` or later.
    pub(crate) fn may_send(&self, from: u32, pc: u32, pattern: Pattern) -> bool {
        let Ok(at) = self.senders.binary_search_by_key(&from, |s| s.0) else {
            return false;
        };
        let sends = &self.senders[at].1;
        let next = sends.partition_point(|s| s.0 < pc);
        sends[next..]
            .iter()
            .any(|&(_, tag)| pattern.accepts(from, tag))
    }
}

/// One collective.
#[derive(Debug)]
pub(crate) struct Instance {
    /// By communicator rank.
    pub(crate) members: Vec<Member>,
    /// The members do not agree on operation, root or blocking form: it never completes.
    pub(crate) mismatch: bool,
}

/// A member of a collective.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) rank: u32,
    /// Where it enters; `NONE`: it never does.
    pub(crate) op: u32,
    /// Whose data it needs before it can leave.
    pub(crate) needs: Needs,
}

/// Whose data a member of a collective needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    All,
    Nobody,
    /// These members, by position.
    Members(Vec<u32>),
}

impl Program {
    pub(crate) fn op(&self, at: OpRef) -> &Kind {
        &self.ranks[at.rank as usize].ops[at.op as usize].kind
    }

    /// What the recorded run told, sorted or not.
    pub(crate) fn recorded(&self, rank: usize, wait: &Wait) -> &[u32] {
        &self.ranks[rank].lists[wait.told_at as usize..(wait.told_at + wait.told_len) as usize]
    }

    pub(crate) fn list(&self, rank: usize, wait: &Wait) -> &[u32] {
        &self.ranks[rank].lists[wait.first as usize..(wait.first + wait.len) as usize]
    }
}
