//! What a finding says.

use std::sync::Arc;

use crate::agents::Agent;
use crate::collectives::same_kind;
use crate::picture::{CollectiveKind, CommId, CommRank, Need, Root, SendMode, Tag, WorldRank};

/// Agents in order, shared by all who wait for them.
pub type Agents = Arc<[Agent]>;
/// World ranks in order, shared by all who wait for them.
pub type Ranks = Arc<[WorldRank]>;

/// A core: agents each of which waits, directly or not, for others of the core or for ranks that have left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The agents of the core, by rank and thread. Never empty.
    pub core: Vec<Blocked>,
    /// One short cycle within the core, each agent waiting for the next and the last for the first. Empty when the core
    /// waits for ranks that have left.
    pub cycle: Vec<Agent>,
    /// Every agent whose standing still the verdict rests on, in order. All of them are blocked in MPI.
    pub closure: Vec<Agent>,
    /// Agents stuck behind the core, and ranks sitting in `MPI_Finalize` for which nobody in the core waits.
    pub victims: Vec<Blocked>,
    /// Ranks that have left and for which the core waits, in order.
    pub ended: Vec<WorldRank>,
    /// Some wait in the core is one that the MPI library may let go ([`BlockedOp::may`]).
    pub has_may: bool,
    /// Collectives in which members of the core wait and in whose place other members called something else.
    pub mismatches: Vec<CollectiveMismatch>,
}

/// An agent that is stuck, and on what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// Who.
    pub agent: Agent,
    /// The MPI procedure it is in.
    pub function: String,
    /// How many of the operations end the wait.
    pub need: Need,
    /// The operations that it is stuck on (at most [`Blocked::MOST_OPS`]); empty in `MPI_Finalize`.
    pub ops: Vec<BlockedOp>,
    /// How many more there are.
    pub omitted: usize,
}

impl Blocked {
    /// Operations described of one agent.
    pub const MOST_OPS: usize = 64;
}

/// An operation that is stuck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockedOp {
    /// The operation, by its identity in the picture.
    pub id: u64,
    /// What it is.
    pub kind: OpKind,
    /// The communicator.
    pub comm: CommId,
    /// The communicator's name on this rank.
    pub comm_name: String,
    /// The communicator is one that mpi4py made for its lower-case reductions: this is a part of one of these.
    pub private: bool,
    /// Source or destination.
    pub peer: Peer,
    /// The tag; `None`: any, or a collective.
    pub tag: Option<Tag>,
    /// The MPI library may let it go by itself.
    pub may: bool,
    /// The stuck agents that it waits for, in order. In groups of more than 256 ranks a wait for anybody else may list
    /// its own agent too.
    pub waits_for: Agents,
    /// The ranks that have left among those it waits for, in order.
    pub ended: Ranks,
    /// Why nothing has released it.
    pub reason: Reason,
}

/// Kinds of stuck operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpKind {
    /// A receive.
    Receive,
    /// A blocking probe or matched probe.
    Probe,
    /// A send.
    Send(SendMode),
    /// A collective.
    Collective {
        /// Which.
        kind: CollectiveKind,
        /// Its root.
        root: Root,
        /// The blocking form?
        blocking: bool,
        /// Its number on the communicator.
        seq: u64,
        /// For a persistent one: which of its starts this is, from 0; `seq` is the number of its making.
        start: Option<u64>,
    },
}

/// The other side of a point-to-point operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A collective has none.
    None,
    /// `MPI_ANY_SOURCE`.
    Any,
    /// One rank.
    Rank {
        /// In the communicator (in its remote group for an intercommunicator).
        comm: CommRank,
        /// In the job.
        world: WorldRank,
    },
}

/// Why nothing has released an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No message is in flight that could be meant.
    NothingSent,
    /// Messages are in flight on the communicator from the source, with other tags.
    TagDiffers {
        /// Some of them, by rank and tag.
        sent: Vec<SentTag>,
    },
    /// Messages are in flight from the source on other communicators.
    OtherCommunicator {
        /// These, with their names.
        comms: Vec<(CommId, String)>,
    },
    /// Messages that would do are in flight, from other ranks than the one that the receive names.
    OtherSource {
        /// Some of them, by rank and tag.
        sent: Vec<SentTag>,
    },
    /// The source has sent messages that would do to other ranks, where they lie.
    OtherDestination {
        /// Some of them, by rank and tag.
        sent: Vec<SentTo>,
    },
    /// A message fits, but receives that were posted earlier take it.
    Claimed,
    /// No receive is posted for the message.
    NoReceive,
    /// The destination waits for something else.
    ReceiveDiffers {
        /// What it has posted.
        posted: Vec<PostedReceive>,
    },
    /// Some members have not begun the collective.
    NotEntered {
        /// Their world ranks, in order.
        missing: Ranks,
    },
    /// All have begun the neighbourhood collective, and edges of the graph that it goes along are there on this side only.
    EdgeMissing {
        /// In-neighbours that do not have it as an out-neighbour, by world rank, in order.
        sources: Ranks,
        /// Out-neighbours that do not have it as an in-neighbour.
        destinations: Ranks,
    },
    /// Members called something else in this place: see [`Finding::mismatches`].
    Different {
        /// Members that have begun nothing in this place yet.
        missing: Ranks,
        /// Only in their roots.
        roots: bool,
    },
}

impl Reason {
    /// A message is there that would do if one thing were different.
    #[must_use]
    pub fn is_near_miss(&self) -> bool {
        matches!(
            self,
            Reason::TagDiffers { .. }
                | Reason::OtherCommunicator { .. }
                | Reason::OtherSource { .. }
                | Reason::OtherDestination { .. }
        )
    }
}

/// Messages in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SentTag {
    /// The sender.
    pub from: WorldRank,
    /// The tag.
    pub tag: Tag,
    /// How many.
    pub count: u64,
}

/// Messages in flight, of a known sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SentTo {
    /// The receiver.
    pub to: WorldRank,
    /// The tag.
    pub tag: Tag,
    /// How many.
    pub count: u64,
}

/// A receive or probe that waits for something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostedReceive {
    /// From whom; `None`: anybody.
    pub from: Option<WorldRank>,
    /// With which tag; `None`: any.
    pub tag: Option<Tag>,
    /// On which communicator.
    pub comm: CommId,
    /// Its name.
    pub comm_name: String,
}

/// Members of a communicator called different things in the same place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectiveMismatch {
    /// The communicator.
    pub comm: CommId,
    /// Its name.
    pub comm_name: String,
    /// The place: number of the collective on the communicator.
    pub seq: u64,
    /// It is on an intercommunicator: the roots are wrong, or the operations differ.
    pub intercomm: bool,
    /// What was called, by whom. At least two, but on an intercommunicator.
    pub variants: Vec<CollectiveVariant>,
}

/// One of several calls in the same place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectiveVariant {
    /// The operation.
    pub kind: CollectiveKind,
    /// The root.
    pub root: Root,
    /// The blocking form?
    pub blocking: bool,
    /// Who called it, in order.
    pub ranks: Vec<WorldRank>,
}

impl CollectiveVariant {
    pub(crate) fn new(kind: CollectiveKind, root: Root, blocking: bool) -> Self {
        Self {
            kind,
            root,
            blocking,
            ranks: Vec::new(),
        }
    }

    /// What was called in the place of an operation: of a persistent one, what made it.
    pub(crate) fn called(
        kind: CollectiveKind,
        root: Root,
        blocking: bool,
        start: Option<u64>,
    ) -> Self {
        match start.and(kind.init()) {
            Some(init) => Self::new(init, root, true),
            None => Self::new(kind, root, blocking),
        }
    }

    /// Whether the two calls can be of one collective.
    pub(crate) fn matches(&self, other: &Self) -> bool {
        same_kind(self.kind) == same_kind(other.kind)
            && (self.root, self.blocking) == (other.root, other.blocking)
    }
}
