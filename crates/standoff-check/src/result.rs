//! What the analysis says.

use std::collections::BTreeSet;

use standoff_trace::event::Tag;

/// How far to search.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// States at which the search may branch before it gives up; then the scope is bounded.
    pub states: u64,
    /// A call that names the source which a wildcard told is taken to follow it. Without it, calls keep their recorded arguments
    /// whatever a wildcard receives.
    pub follow: bool,
    /// Only executions in which every wildcard and every completion of "any" is told what was recorded, so that a witness rests on nothing but
    /// MPI. With all [`Alternative`]s forced and recorded, that is enough for all executions.
    pub certain: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            states: 200_000,
            follow: true,
            certain: false,
        }
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No execution in the scope ends in a deadlock.
    Clean(Scope),
    /// One does.
    Deadlock(Box<Witness>),
}

/// What a clean verdict holds for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every execution that MPI allows in which the ranks make the recorded calls.
    RecordedControlFlow,
    /// Fewer, for these reasons (sorted, not empty).
    Bounded(Vec<Bound>),
}

/// Why something was left out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bound {
    /// The search had visited as many states as it might.
    States {
        /// That many.
        visited: u64,
    },
    /// The program asked (`MPI_Test`, `MPI_Iprobe`) rather than waited: answers other than the recorded ones were not followed.
    Polls,
    /// Several threads of this rank called MPI: it may do anything.
    Threads {
        /// Rank.
        rank: u32,
    },
    /// The record of this rank ends before `MPI_Finalize`: from there on it may do anything.
    EndsEarly {
        /// Rank.
        rank: u32,
    },
    /// A procedure that is not modelled.
    Procedure {
        /// E.g. `MPI_Win_fence`.
        name: String,
    },
    /// This rank may have more in its attached buffer at once than it has room for. MPI makes that an error, no wait.
    Buffer {
        /// Rank.
        rank: u32,
        /// Bytes attached.
        room: u64,
    },
    /// Collectives of which it is not known who may leave early; nobody did.
    Collectives {
        /// E.g. `Alltoallv`.
        name: String,
    },
    /// Some wildcards may be told another source, and the calls after them name the source they were told: see [`Alternative`].
    Follows,
    /// A wildcard receive of this rank was never waited for: what it took is not recorded, so not all that could be forced beside it is listed
    /// ([`Options::certain`]).
    NeverCompleted {
        /// Rank.
        rank: u32,
    },
    /// This rank waits for more requests with `MPI_Waitsome` than are told in every combination.
    Together {
        /// Rank.
        rank: u32,
    },
    /// Other outcomes than the recorded ones were possible, and not asked for ([`Options::certain`]).
    OtherOutcomes,
}

/// An execution that ends in a deadlock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// What happens, in an order in which it can.
    pub steps: Vec<Step>,
    /// Who is stuck at the end, by rank.
    pub stuck: Vec<Stuck>,
    /// The ranks of `stuck` that hold each other (one core).
    pub core: Vec<u32>,
    /// Wildcards that were told something else than in the recorded run, as (rank, event). If there are none, the witness rests on
    /// nothing but MPI; otherwise on these ranks making the same calls all the same.
    pub diverges: Vec<(u32, u32)>,
}

impl Witness {
    /// The core, and all whom it waits for directly or not: what the others do does not release it.
    #[must_use]
    pub fn needed(&self) -> BTreeSet<u32> {
        let mut needed: BTreeSet<u32> = self.core.iter().copied().collect();
        let mut open = self.core.clone();
        while let Some(rank) = open.pop() {
            let stuck = self.stuck.iter().find(|s| s.rank == rank);
            for &other in stuck.iter().flat_map(|s| &s.waits_for) {
                if needed.insert(other) {
                    open.push(other);
                }
            }
        }
        needed
    }
}

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// By this rank.
    pub rank: u32,
    /// At this record of its trace.
    pub event: u32,
    /// What.
    pub action: Action,
}

/// What happens in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The call begins: the message, receive or entry into the collective is there.
    Begins,
    /// The receive takes the message of rank `from`, sent at its record `send`.
    Receives {
        /// World rank of the sender.
        from: u32,
        /// Record of the send.
        send: u32,
    },
    /// The probe sees that message (a matched probe takes it).
    Sees {
        /// World rank of the sender.
        from: u32,
        /// Record of the send.
        send: u32,
    },
    /// The send is buffered: it completes although nobody receives yet.
    Buffered,
    /// The member leaves the collective (its request completes) although not all have entered.
    LeftEarly,
    /// The completion tells the request that was made at this record, and leaves other complete ones for later.
    Told {
        /// Record of the request's call.
        request: u32,
    },
}

/// A rank that is stuck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// Rank.
    pub rank: u32,
    /// The record of the call that never returns.
    pub event: u32,
    /// The operations it waits for that are not complete, as records of its trace.
    pub operations: Vec<u32>,
    /// One of them would be enough.
    pub any: bool,
    /// Ranks that would have to act, sorted.
    pub waits_for: Vec<u32>,
}

/// Something else that a wildcard of the recorded run may be told, its rank and all others having been told what was recorded before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// Rank.
    pub rank: u32,
    /// The record of the receive, probe or completion.
    pub event: u32,
    /// The outcome to force.
    pub outcome: Outcome,
    /// The one that this run had.
    pub recorded: Outcome,
    /// For each rank the number of records whose recorded outcomes may be forced before it: they do not depend on it.
    pub before: Vec<u32>,
}

/// An outcome to force.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The receive or probe takes the message from this world rank, with this tag.
    Message {
        /// World rank.
        source: u32,
        /// Tag.
        tag: Tag,
    },
    /// The completion tells the requests that were made at these records (one, but for `MPI_Waitsome` and `MPI_Testsome`), and no others.
    Requests {
        /// Records of the requests' calls.
        events: Vec<u32>,
    },
    /// `MPI_Test`, `MPI_Iprobe` or one of their kin finds something (true) at once, or nothing the first time.
    Found(bool),
}

/// How much work a search was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// States at which there was a choice.
    pub states: u64,
    /// Operations run, over all executions.
    pub operations: u64,
}
