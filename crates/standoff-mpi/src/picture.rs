//! What is known of a whole MPI job at one instant.
//!
//! A picture is plain data: the monitor makes it from the ranks' boards, tests write it by hand, and later a replayed
//! trace can produce it too. Nothing in it is an address, a clock or a handle of an MPI library.
//!
//! Convention: whatever could not be observed is represented by a variant that says so (`Unknown`, `NotJoined`,
//! `moving`, `tainted`, `unknown_requests`), and the analysis treats it as able to act. It can cost a verdict, never make a false one.

/// A rank in a job's `MPI_COMM_WORLD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorldRank(pub u32);

/// A rank in one communicator (for an intercommunicator, in the group meant by the context).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommRank(pub u32);

/// A communicator's identity, the same on all of its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommId(pub u64);

impl CommId {
    /// `MPI_COMM_WORLD` of the job in the picture.
    pub const WORLD: CommId = CommId(1);
}

/// A message tag (never a wildcard).
pub type Tag = i32;

/// The whole job (one `MPI_COMM_WORLD`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Number of the job (0: the first; spawned jobs count up).
    pub world: u32,
    /// Indexed by world rank: always one entry for every rank of the job.
    pub ranks: Vec<RankPicture>,
    /// Messages sent and not received, by channel. A channel that is not listed has none.
    pub unmatched: Vec<Unmatched>,
}

/// Messages of one channel (communicator, sender, receiver) that were sent and not yet received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmatched {
    /// The communicator.
    pub comm: CommId,
    /// The sender.
    pub from: WorldRank,
    /// The receiver.
    pub to: WorldRank,
    /// How many of each tag, if that could be told.
    pub tags: Tags,
}

/// Tags in flight on a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tags {
    /// (tag, how many), tags distinct, counts > 0.
    Known(Vec<(Tag, u64)>),
    /// Could not be told: anything may be in flight.
    Unknown,
}

/// One rank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RankPicture {
    /// What the rank is doing as a whole.
    pub state: RankState,
    /// The rank changed while the picture was taken: its content may be torn and all its agents may act.
    pub moving: bool,
    /// Why the rank must be taken as able to act for ever (an unmodelled procedure, a table that overflowed).
    pub tainted: Option<String>,
    /// Communicators it has now (`MPI_COMM_WORLD` included).
    pub comms: Vec<CommPicture>,
    /// Pending operations: posted, not completed. In posting order (oldest first); ids are unique within the rank.
    pub ops: Vec<Operation>,
    /// Its persistent collectives, active or not: those that it has freed, too, as far as they are known.
    pub persistent: Vec<Persistent>,
    /// Threads that have called MPI.
    pub threads: Vec<ThreadPicture>,
    /// Threads started by user code that have not called MPI and are allowed to (0 below `MPI_THREAD_SERIALIZED`).
    pub other_threads: u32,
}

/// What a rank is doing as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RankState {
    /// Not seen yet, or on a machine that standoff does not see: may act.
    NotJoined,
    /// Between `MPI_Init` and `MPI_Finalize`.
    Running,
    /// Inside `MPI_Finalize` or past it and alive: it can never communicate again (an ended agent).
    Finalized,
    /// The process ended without a crash, with this exit status if known (an ended agent).
    Exited(Option<i32>),
    /// The process was killed or crashed (an ended agent).
    Killed,
    /// Inside `MPI_Abort`: the job is ending. May act.
    Aborting,
}

/// A communicator as one rank sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommPicture {
    /// Its identity.
    pub id: CommId,
    /// A name to show: `MPI_COMM_WORLD`, or what `MPI_Comm_set_name` said, or e.g. `split of MPI_COMM_WORLD`.
    pub name: String,
    /// mpi4py made it for itself, for its lower-case reductions: the program neither chose nor sees the messages on it.
    pub private: bool,
    /// Rank of this process in it (in the local group for an intercommunicator).
    pub my_rank: CommRank,
    /// World ranks of the (local) group by communicator rank.
    pub group: Group,
    /// Remote group, for an intercommunicator.
    pub remote: Option<Group>,
    /// Collectives begun on it so far by this rank; the next one has this sequence number (from 0).
    pub collectives: u64,
    /// The last few collectives begun (oldest first), to compare ranks that have gone past. May be shorter than `collectives`.
    pub history: Vec<CollectiveRecord>,
    /// For a communicator with a topology: in-neighbours and out-neighbours, if known.
    pub neighbours: Option<Neighbours>,
}

/// Neighbours in a process topology, as ranks of that communicator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbours {
    /// Ranks whose data this one receives in a neighbourhood collective.
    pub sources: Vec<CommRank>,
    /// Ranks that receive this one's data.
    pub destinations: Vec<CommRank>,
}

/// Members of a group by communicator rank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Group {
    /// Rank i is world rank `first + i * stride`, for i in 0..len.
    Strided {
        /// World rank of rank 0.
        first: u32,
        /// Distance (may be negative).
        stride: i32,
        /// Size of the group.
        len: u32,
    },
    /// Listed.
    List(Vec<WorldRank>),
    /// Not known (too many to keep, or members outside this job): whoever waits in it may act.
    Unknown,
}

/// One collective that a rank has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CollectiveRecord {
    /// Its number on the communicator (from 0; blocking and nonblocking ones share the count, as MPI orders both).
    pub seq: u64,
    /// Operation.
    pub kind: CollectiveKind,
    /// Root, for rooted ones.
    pub root: Root,
    /// The blocking form?
    pub blocking: bool,
}

/// Root argument of a collective.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Root {
    /// The operation has no root.
    None,
    /// This rank of the communicator (of the remote group for an intercommunicator).
    Rank(CommRank),
    /// `MPI_ROOT` on an intercommunicator: this process is the root.
    Me,
    /// `MPI_PROC_NULL` on an intercommunicator: takes no part.
    Null,
}

/// Collective operations; a blocking one and its nonblocking twin do not match each other in MPI, hence `blocking` in [`Op::Collective`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // the names are MPI's
#[repr(u8)]
pub enum CollectiveKind {
    Barrier,
    Bcast,
    Gather,
    Gatherv,
    Scatter,
    Scatterv,
    Allgather,
    Allgatherv,
    Alltoall,
    Alltoallv,
    Alltoallw,
    Reduce,
    Allreduce,
    ReduceScatter,
    ReduceScatterBlock,
    Scan,
    Exscan,
    NeighborAllgather,
    NeighborAllgatherv,
    NeighborAlltoall,
    NeighborAlltoallv,
    NeighborAlltoallw,
    CommDup,
    CommDupWithInfo,
    CommSplit,
    CommSplitType,
    CommCreate,
    CommCreateGroup,
    CartCreate,
    CartSub,
    GraphCreate,
    DistGraphCreate,
    DistGraphCreateAdjacent,
    IntercommCreate,
    IntercommMerge,
    CommFree,
    CommDisconnect,
    BarrierInit,
    BcastInit,
    GatherInit,
    GathervInit,
    ScatterInit,
    ScattervInit,
    AllgatherInit,
    AllgathervInit,
    AlltoallInit,
    AlltoallvInit,
    AlltoallwInit,
    ReduceInit,
    AllreduceInit,
    ReduceScatterInit,
    ReduceScatterBlockInit,
    ScanInit,
    ExscanInit,
    NeighborAllgatherInit,
    NeighborAllgathervInit,
    NeighborAlltoallInit,
    NeighborAlltoallvInit,
    NeighborAlltoallwInit,
}

impl CollectiveKind {
    /// All, in the order of their numbers on a rank's board.
    pub const ALL: [CollectiveKind; 59] = {
        use CollectiveKind as K;
        [
            K::Barrier,
            K::Bcast,
            K::Gather,
            K::Gatherv,
            K::Scatter,
            K::Scatterv,
            K::Allgather,
            K::Allgatherv,
            K::Alltoall,
            K::Alltoallv,
            K::Alltoallw,
            K::Reduce,
            K::Allreduce,
            K::ReduceScatter,
            K::ReduceScatterBlock,
            K::Scan,
            K::Exscan,
            K::NeighborAllgather,
            K::NeighborAllgatherv,
            K::NeighborAlltoall,
            K::NeighborAlltoallv,
            K::NeighborAlltoallw,
            K::CommDup,
            K::CommDupWithInfo,
            K::CommSplit,
            K::CommSplitType,
            K::CommCreate,
            K::CommCreateGroup,
            K::CartCreate,
            K::CartSub,
            K::GraphCreate,
            K::DistGraphCreate,
            K::DistGraphCreateAdjacent,
            K::IntercommCreate,
            K::IntercommMerge,
            K::CommFree,
            K::CommDisconnect,
            K::BarrierInit,
            K::BcastInit,
            K::GatherInit,
            K::GathervInit,
            K::ScatterInit,
            K::ScattervInit,
            K::AllgatherInit,
            K::AllgathervInit,
            K::AlltoallInit,
            K::AlltoallvInit,
            K::AlltoallwInit,
            K::ReduceInit,
            K::AllreduceInit,
            K::ReduceScatterInit,
            K::ReduceScatterBlockInit,
            K::ScanInit,
            K::ExscanInit,
            K::NeighborAllgatherInit,
            K::NeighborAllgathervInit,
            K::NeighborAlltoallInit,
            K::NeighborAlltoallvInit,
            K::NeighborAlltoallwInit,
        ]
    };

    /// How many there are of those that move data; the makings of persistent ones ([`CollectiveKind::init`]) come last.
    const MOVING: usize = 22;

    /// What makes a persistent one of this kind (`MPI_Barrier_init`), if there is that.
    #[must_use]
    pub fn init(self) -> Option<CollectiveKind> {
        let first = Self::ALL.len() - Self::MOVING;
        let at = self as usize;
        (at < Self::MOVING).then(|| Self::ALL[first + at])
    }

    /// Which persistent one this makes, if it makes one.
    #[must_use]
    pub fn made(self) -> Option<CollectiveKind> {
        let first = Self::ALL.len() - Self::MOVING;
        (self as usize).checked_sub(first).map(|at| Self::ALL[at])
    }
}

/// A persistent collective of one rank.
///
/// MPI orders the *makings* (`MPI_Barrier_init`) with the other collectives of the communicator, so that the n-th belongs to the n-th of all other
/// members; the starts may come in any order, and the k-th start of one belongs to the k-th start of the same (MPI 4.1, 6.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Persistent {
    /// Communicator.
    pub comm: CommId,
    /// Number of its making among the collectives on `comm`.
    pub seq: u64,
    /// Operation.
    pub kind: CollectiveKind,
    /// Root.
    pub root: Root,
    /// How often the rank has started it.
    pub starts: u64,
}

/// A pending operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Unique within the rank.
    pub id: u64,
    /// What it is.
    pub op: Op,
    /// `MPI_Cancel` was called on it: its completion is local, so it may complete.
    pub cancelled: bool,
    /// The other half of the same request (`MPI_Isendrecv`), which is complete when both are.
    pub half: Option<u64>,
    /// In a forced run: the source that stands in for the wildcard of a receive in the real call. What the receive waits for is judged by
    /// what the program asked for all the same.
    pub chosen: Option<CommRank>,
}

/// Kinds of pending operations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// A send (blocking call in progress, or a request).
    Send {
        /// Communicator (`None`: one the probe does not know; may complete).
        comm: Option<CommId>,
        /// Destination.
        to: CommRank,
        /// Tag.
        tag: Tag,
        /// Mode.
        mode: SendMode,
        /// At least as many as there are messages of the same class (channel, tag) that the rank sent after this one.
        /// `None`: not known.
        later_same_class: Option<u64>,
    },
    /// A receive (blocking call in progress, or a request). `MPI_Mrecv` of a matched message is `Op::Opaque`.
    Recv {
        /// Communicator.
        comm: Option<CommId>,
        /// Source.
        from: Source,
        /// Tag (`None`: `MPI_ANY_TAG`).
        tag: Option<Tag>,
    },
    /// A blocking probe or matched probe in progress. It consumes nothing while it waits.
    Probe {
        /// Communicator.
        comm: Option<CommId>,
        /// Source.
        from: Source,
        /// Tag (`None`: `MPI_ANY_TAG`).
        tag: Option<Tag>,
    },
    /// A collective, blocking or not.
    Collective {
        /// Communicator (the parent, for those that create one).
        comm: Option<CommId>,
        /// Its number on `comm`. For `CommCreateGroup` and `IntercommCreate`: a key that agrees on all that take part.
        seq: u64,
        /// Operation.
        kind: CollectiveKind,
        /// Root.
        root: Root,
        /// True for the blocking form.
        blocking: bool,
        /// For a persistent one that was started: which of its starts this is, from 0; `seq` is the number of its making then.
        start: Option<u64>,
        /// False if this rank's arguments say that no data moves (count 0), or if the counts are given by arrays and were not looked at.
        data: bool,
        /// For `CommCreateGroup` (members) and `IntercommCreate` (local group; remote leader unknown → `Unknown`): who must take part. Else `None`: the communicator's group(s).
        members: Option<Group>,
    },
    /// Something that completes without any other rank.
    Local,
    /// Something that the model does not know: may complete, or may need anybody.
    Opaque,
}

/// Source argument of a receive or probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// This rank (of the remote group for an intercommunicator).
    Rank(CommRank),
    /// `MPI_ANY_SOURCE`.
    Any,
}

/// Send modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the names are MPI's
pub enum SendMode {
    Standard,
    Buffered,
    Synchronous,
    Ready,
}

/// A thread that has called MPI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadPicture {
    /// Index of its slot on the rank's board; 0 is the thread that initialized MPI.
    pub thread: u32,
    /// What it does in MPI now; `None`: it is outside MPI and may act.
    pub call: Option<Call>,
    /// It may not call MPI (not the main thread at `MPI_THREAD_FUNNELED` or lower) or has exited: no agent.
    pub not_an_agent: bool,
}

/// An MPI call in progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// E.g. `MPI_Recv`.
    pub function: String,
    /// What it waits for.
    pub wait: Wait,
}

/// What a call in progress waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Nothing, or something the model does not know: may act.
    Free,
    /// Pending operations of this rank.
    Operations {
        /// How many of them.
        need: Need,
        /// Ids into [`RankPicture::ops`].
        ops: Vec<u64>,
        /// Requests in the same call that the probe does not know; each may be complete.
        unknown_requests: u32,
    },
    /// `MPI_Finalize`.
    Finalize,
}

/// How many of the operations end the wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// All (Wait, Waitall, blocking calls).
    All,
    /// At least one (Waitany, Waitsome).
    Any,
}
