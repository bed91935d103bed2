//! What a rank asked of MPI, and what it was told.
//!
//! Ranks in calls are ranks of the communicator (of its remote group, for an intercommunicator). A call whose peer is
//! `MPI_PROC_NULL` does nothing and is no event. Lists are borrowed when written and owned when read.

use std::borrow::Cow;

use crate::basic::Basic;

/// A rank in the job's `MPI_COMM_WORLD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorldRank(pub u32);

/// A rank in one communicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommRank(pub u32);

/// A communicator's identity, equal on all of its members and on nobody else's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommId(pub u64);

/// A communicator in the table of one rank ([`Event::Comm`] fills it; small numbers are short).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommIndex(pub u32);

/// A call site in the table of one rank ([`Event::Site`] fills it). 0: not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SiteId(pub u32);

/// An active operation of one rank. Never used twice: a persistent request gets a new one at each start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// A message that a matched probe returned. Never used twice in a rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u64);

/// A message tag, never a wildcard.
pub type Tag = i32;

/// One event, where and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Number of the thread in its rank; 0 is the one that initialized MPI.
    pub thread: u16,
    /// Where the program made the call.
    pub site: SiteId,
    /// What it was.
    pub event: Event<'a>,
}

/// An event. Calls are recorded when they return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// Definition of a call site, before its first use.
    Site {
        /// Its number, from 1.
        id: SiteId,
        /// What it is.
        place: Place<'a>,
    },
    /// Definition of a communicator, before its first use; `MPI_COMM_WORLD` too.
    Comm {
        /// Number in this rank's table.
        index: CommIndex,
        /// Identity.
        id: CommId,
        /// Name to show, e.g. `MPI_COMM_WORLD`; may be empty.
        name: Cow<'a, str>,
        /// Members by rank (the local group, for an intercommunicator).
        group: Group<'a>,
        /// Remote group, for an intercommunicator.
        remote: Option<Group<'a>>,
        /// In-neighbours, if it has a topology.
        sources: Option<Cow<'a, [CommRank]>>,
    },
    /// `MPI_Init` or `MPI_Init_thread` returned.
    Init {
        /// Provided thread level, 0 (single) to 3 (multiple).
        level: u8,
    },
    /// `MPI_Finalize` began.
    Finalize,
    /// A send.
    Send(Send),
    /// A receive.
    Recv(Recv),
    /// `MPI_Sendrecv` and `MPI_Sendrecv_replace`; `MPI_Isendrecv` and `MPI_Isendrecv_replace`, whose one request is two here.
    Sendrecv {
        /// The sending half.
        send: Send,
        /// The receiving half.
        recv: Recv,
    },
    /// A probe.
    Probe {
        /// Communicator.
        comm: CommIndex,
        /// Source asked for.
        from: Source,
        /// Tag asked for.
        tag: TagPattern,
        /// True: `MPI_Iprobe`, `MPI_Improbe`.
        poll: bool,
        /// What it saw; `None`: a poll that saw nothing.
        told: Option<Matched>,
        /// The message a matched probe took.
        message: Option<MessageId>,
    },
    /// `MPI_Mrecv`, `MPI_Imrecv`.
    Mrecv {
        /// The message, from a matched probe of this rank.
        message: MessageId,
        /// Of the nonblocking form.
        request: Option<RequestId>,
    },
    /// A call that completes requests.
    Complete {
        /// Which one.
        call: Completion,
        /// The active requests that it was given, in order. Inactive ones may be left out or named.
        requests: Cow<'a, [RequestId]>,
        /// Which of them it completed, in the order it told them.
        told: Told<'a>,
    },
    /// `MPI_Cancel`.
    Cancel(RequestId),
    /// `MPI_Request_free` of an active operation.
    RequestFree(RequestId),
    /// A collective operation, creation and freeing of communicators included.
    Collective(Collective<'a>),
    /// `MPI_Buffer_attach`: bytes for buffered sends. 0: `MPI_Buffer_detach`.
    Buffer {
        /// Size.
        bytes: u64,
    },
    /// A procedure that the model does not know.
    Unmodelled {
        /// E.g. `MPI_Win_fence`.
        name: Cow<'a, str>,
        /// It can send, complete or connect: what the rank does from here on is not known.
        acts: bool,
    },
}

/// A call site.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place<'a> {
    /// Return address in the rank's process.
    Native(u64),
    /// A line of a script.
    Script {
        /// File.
        file: Cow<'a, str>,
        /// Line.
        line: u32,
        /// Function.
        function: Cow<'a, str>,
    },
}

/// Members of a group by rank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Group<'a> {
    /// Rank i is world rank `first + i * stride`, for i in 0..len.
    Strided {
        /// World rank of rank 0.
        first: u32,
        /// Distance.
        stride: i32,
        /// Size.
        len: u32,
    },
    /// Listed.
    List(Cow<'a, [WorldRank]>),
}

/// A send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Send {
    /// Communicator.
    pub comm: CommIndex,
    /// Destination.
    pub to: CommRank,
    /// Tag.
    pub tag: Tag,
    /// Mode.
    pub mode: SendMode,
    /// Size of the message in bytes.
    pub bytes: u64,
    /// Its elements.
    pub basic: Basic,
    /// Of the nonblocking form, and of a started persistent one.
    pub request: Option<RequestId>,
    /// Started by `MPI_Start` or `MPI_Startall`.
    pub persistent: bool,
}

/// A receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recv {
    /// Communicator.
    pub comm: CommIndex,
    /// Source as asked for.
    pub from: Source,
    /// Tag as asked for.
    pub tag: TagPattern,
    /// Room in the buffer, in bytes.
    pub bytes: u64,
    /// The elements that it is for.
    pub basic: Basic,
    /// Of the nonblocking form, and of a started persistent one.
    pub request: Option<RequestId>,
    /// Started by `MPI_Start` or `MPI_Startall`.
    pub persistent: bool,
    /// What a blocking one received, where that is not the same as asked for.
    pub told: Option<Matched>,
}

/// What a receive or probe was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Matched {
    /// Source.
    pub source: CommRank,
    /// Tag.
    pub tag: Tag,
}

/// Requests that a call completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told<'a> {
    /// None (a poll that found nothing).
    None,
    /// All of them. (position in the call, what it received) of those receives where that is not the same as asked for.
    All(Cow<'a, [(u32, Matched)]>),
    /// These, in the order told: position in the call, and what it received where that is not the same as asked for.
    Some(Cow<'a, [(u32, Option<Matched>)]>),
}

/// Source argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// This rank.
    Rank(CommRank),
    /// `MPI_ANY_SOURCE`.
    Any,
}

/// Tag argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TagPattern {
    /// This tag.
    Tag(Tag),
    /// `MPI_ANY_TAG`.
    Any,
}

impl TagPattern {
    /// Whether it accepts a tag.
    #[must_use]
    pub fn accepts(self, tag: Tag) -> bool {
        match self {
            TagPattern::Tag(own) => own == tag,
            TagPattern::Any => true,
        }
    }
}

/// Send modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names are MPI's
#[repr(u8)]
pub enum SendMode {
    Standard,
    Buffered,
    Synchronous,
    Ready,
}

/// Calls that complete requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names are MPI's
#[repr(u8)]
pub enum Completion {
    Wait,
    Waitall,
    Waitany,
    Waitsome,
    Test,
    Testall,
    Testany,
    Testsome,
}

/// A collective operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collective<'a> {
    /// Communicator (the parent, for one that makes a communicator).
    pub comm: CommIndex,
    /// Operation.
    pub kind: CollectiveKind,
    /// Its number among the collectives that this rank began on the communicator, from 0, blocking and nonblocking ones together. Where
    /// `members` is given: a key on which these agree.
    pub seq: u64,
    /// Of a persistent one that is started: which of its starts this is, from 0; `seq` is the number of its making then.
    pub start: Option<u64>,
    /// Root.
    pub root: Root,
    /// Whether data flows.
    pub flow: Flow,
    /// Of the nonblocking form.
    pub request: Option<RequestId>,
    /// Who takes part, if that is not the whole communicator (`MPI_Comm_create_group`, `MPI_Intercomm_create`).
    pub members: Option<Group<'a>>,
    /// What all members have to agree on, for warnings.
    pub signature: Option<Signature>,
}

/// Whether a collective moves data, as this rank's arguments say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flow {
    /// Certainly: all counts that matter to this rank are not 0.
    Data,
    /// Certainly not.
    Nothing,
    /// The counts were not looked at, or some are 0.
    Unknown,
}

/// What the members of a collective have to agree on beside operation, order and root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature {
    /// The reduction: its place in [`REDUCTIONS`], from 1. 0: none, or one of the program's own.
    pub reduction: u32,
    /// The elements.
    pub basic: Basic,
    /// Size of what each member gives or gets, in bytes.
    pub bytes: u64,
}

/// The predefined reductions.
pub const REDUCTIONS: [&str; 14] = [
    "MPI_MAX",
    "MPI_MIN",
    "MPI_SUM",
    "MPI_PROD",
    "MPI_LAND",
    "MPI_BAND",
    "MPI_LOR",
    "MPI_BOR",
    "MPI_LXOR",
    "MPI_BXOR",
    "MPI_MINLOC",
    "MPI_MAXLOC",
    "MPI_REPLACE",
    "MPI_NO_OP",
];

/// Root of a collective.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Root {
    /// The operation has none.
    None,
    /// This rank (of the remote group for an intercommunicator).
    Rank(CommRank),
    /// `MPI_ROOT`.
    Me,
    /// `MPI_PROC_NULL` on an intercommunicator.
    Null,
}

macro_rules! collective_kinds {
    ($($name:ident $mpi:literal,)*) => {
        /// Collective operations. A nonblocking one has its blocking one's kind, and a request.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs)] // the names are MPI's
        #[repr(u8)]
        pub enum CollectiveKind { $($name,)* }

        impl CollectiveKind {
            /// All, by number: the numbers on the board and in the file.
            pub const ALL: &[CollectiveKind] = &[$(CollectiveKind::$name,)*];

            /// Name without `MPI_`, e.g. `Bcast`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(CollectiveKind::$name => $mpi,)* }
            }
        }
    };
}

collective_kinds! {
    Barrier "Barrier",
    Bcast "Bcast",
    Gather "Gather",
    Gatherv "Gatherv",
    Scatter "Scatter",
    Scatterv "Scatterv",
    Allgather "Allgather",
    Allgatherv "Allgatherv",
    Alltoall "Alltoall",
    Alltoallv "Alltoallv",
    Alltoallw "Alltoallw",
    Reduce "Reduce",
    Allreduce "Allreduce",
    ReduceScatter "Reduce_scatter",
    ReduceScatterBlock "Reduce_scatter_block",
    Scan "Scan",
    Exscan "Exscan",
    NeighborAllgather "Neighbor_allgather",
    NeighborAllgatherv "Neighbor_allgatherv",
    NeighborAlltoall "Neighbor_alltoall",
    NeighborAlltoallv "Neighbor_alltoallv",
    NeighborAlltoallw "Neighbor_alltoallw",
    CommDup "Comm_dup",
    CommDupWithInfo "Comm_dup_with_info",
    CommSplit "Comm_split",
    CommSplitType "Comm_split_type",
    CommCreate "Comm_create",
    CommCreateGroup "Comm_create_group",
    CartCreate "Cart_create",
    CartSub "Cart_sub",
    GraphCreate "Graph_create",
    DistGraphCreate "Dist_graph_create",
    DistGraphCreateAdjacent "Dist_graph_create_adjacent",
    IntercommCreate "Intercomm_create",
    IntercommMerge "Intercomm_merge",
    CommFree "Comm_free",
    CommDisconnect "Comm_disconnect",
    BarrierInit "Barrier_init",
    BcastInit "Bcast_init",
    GatherInit "Gather_init",
    GathervInit "Gatherv_init",
    ScatterInit "Scatter_init",
    ScattervInit "Scatterv_init",
    AllgatherInit "Allgather_init",
    AllgathervInit "Allgatherv_init",
    AlltoallInit "Alltoall_init",
    AlltoallvInit "Alltoallv_init",
    AlltoallwInit "Alltoallw_init",
    ReduceInit "Reduce_init",
    AllreduceInit "Allreduce_init",
    ReduceScatterInit "Reduce_scatter_init",
    ReduceScatterBlockInit "Reduce_scatter_block_init",
    ScanInit "Scan_init",
    ExscanInit "Exscan_init",
    NeighborAllgatherInit "Neighbor_allgather_init",
    NeighborAllgathervInit "Neighbor_allgatherv_init",
    NeighborAlltoallInit "Neighbor_alltoall_init",
    NeighborAlltoallvInit "Neighbor_alltoallv_init",
    NeighborAlltoallwInit "Neighbor_alltoallw_init",
}

impl Event<'_> {
    /// Whether it counts where calls are numbered to be found again in another run. Left out: definitions, waits that leave nothing open, and
    /// whatever a rank may do another number of times if only the timing is different, like polls that find nothing.
    #[must_use]
    pub fn numbered(&self) -> bool {
        match self {
            Event::Send(_)
            | Event::Recv(_)
            | Event::Sendrecv { .. }
            | Event::Mrecv { .. }
            | Event::Collective(_)
            | Event::Finalize => true,
            Event::Probe { poll, told, .. } => !poll || told.is_some(),
            Event::Complete { call, told, .. } => call.any() && *told != Told::None,
            _ => false,
        }
    }

    /// If it is a poll: what it asks for, as a number that is the same in each run in which the rank made the same calls before.
    #[must_use]
    pub fn asks(&self) -> Option<u64> {
        match self {
            Event::Probe {
                comm,
                from,
                tag,
                poll: true,
                ..
            } => Some(asks_message(*comm, *from, *tag)),
            Event::Complete { call, requests, .. } if call.polls() => {
                Some(asks_requests(requests.iter().copied()))
            }
            _ => None,
        }
    }

    /// The request that it makes.
    #[must_use]
    pub fn request(&self) -> Option<RequestId> {
        match self {
            Event::Send(send) => send.request,
            Event::Recv(recv) => recv.request,
            Event::Mrecv { request, .. } => *request,
            Event::Collective(collective) => collective.request,
            _ => None,
        }
    }
}

/// See [`Event::asks`].
#[must_use]
pub fn asks_message(comm: CommIndex, from: Source, tag: TagPattern) -> u64 {
    let from = match from {
        Source::Any => u64::from(u32::MAX),
        Source::Rank(rank) => u64::from(rank.0),
    };
    let tag = match tag {
        TagPattern::Any => u64::from(u32::MAX),
        TagPattern::Tag(tag) => u64::from(tag as u32),
    };
    (u64::from(comm.0) << 48 ^ from << 20 ^ tag) | 1 << 63
}

/// See [`Event::asks`]. In any order.
#[must_use]
pub fn asks_requests(requests: impl Iterator<Item = RequestId>) -> u64 {
    let one = |id: RequestId| id.0.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 1;
    requests
        .map(one)
        .fold(0, |sum, one| (sum + one) & !(1 << 63))
}

impl Completion {
    /// Completes one or some of its requests, whichever are complete.
    #[must_use]
    pub fn any(self) -> bool {
        matches!(
            self,
            Completion::Waitany | Completion::Waitsome | Completion::Testany | Completion::Testsome
        )
    }

    /// Asks, and does not wait.
    #[must_use]
    pub fn polls(self) -> bool {
        matches!(
            self,
            Completion::Test | Completion::Testall | Completion::Testany | Completion::Testsome
        )
    }
}

impl Group<'_> {
    /// Number of members.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Group::Strided { len, .. } => *len as usize,
            Group::List(list) => list.len(),
        }
    }

    /// Whether it has no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The world rank of a member; `None` when there is no such member.
    #[must_use]
    pub fn world(&self, rank: CommRank) -> Option<WorldRank> {
        match self {
            Group::Strided { first, stride, len } if rank.0 < *len => {
                let world = i64::from(*first) + i64::from(rank.0) * i64::from(*stride);
                u32::try_from(world).ok().map(WorldRank)
            }
            Group::Strided { .. } => None,
            Group::List(list) => list.get(rank.0 as usize).copied(),
        }
    }
}
