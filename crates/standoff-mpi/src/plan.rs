//! What every agent waits for, before any graph is made of it.

use std::collections::HashMap;

use standoff_core::Strength;

use crate::agents::{has_left, may_act, order_is_certain};
use crate::collectives::{Collectives, InstanceId};
use crate::group::{GroupId, Groups};
use crate::index::{Index, Posted};
use crate::matching::{Envelope, Matching};
use crate::picture::{CommRank, Need, Op, Operation, Picture, RankPicture, Wait, WorldRank};

/// A condition on other agents.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Cond {
    /// An agent of this rank acts.
    Rank(WorldRank),
    /// An agent of some member acts, other than of the member with this communicator rank.
    Others {
        group: GroupId,
        except: Option<CommRank>,
    },
    /// Some rank acts to which this one has messages in flight.
    Backlog(WorldRank),
    /// Every member that has not entered the collective enters it.
    AllMissing(InstanceId),
    /// Some member acts that has not entered the collective.
    AnyMissing(InstanceId),
    /// Some member acts that called this in the collective's place.
    Variant(InstanceId, usize),
    /// The first so many of the members that have not entered the collective enter it.
    FirstMissing(InstanceId, usize),
    /// All of these act.
    All(Vec<WorldRank>),
}

/// Whether the other agents of the own rank can release the operation too (by `MPI_Cancel`, say).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Siblings {
    Never,
    /// When the call waits for a request that another thread may hold as well.
    IfRequest,
    Always,
}

/// What releases an operation that cannot be complete yet.
#[derive(Clone, Debug)]
pub(crate) struct OpWait {
    pub(crate) strength: Strength,
    /// Any of these may release it: nothing that could is missing here.
    pub(crate) release: Vec<Cond>,
    /// Those of them that MPI makes it wait for: what a person should look at. Never empty, and each part needs no less
    /// than `release`.
    pub(crate) blame: Vec<Cond>,
    pub(crate) siblings: Siblings,
}

/// What one agent does.
#[derive(Clone, Debug)]
pub(crate) enum Doing {
    /// It may act.
    Free,
    /// It waits for this many of the operations; `None` stands for one that may be complete.
    Waits {
        need: Need,
        /// In the order given by the call, each once.
        ops: Vec<(u64, Option<OpWait>)>,
        /// Pairs of them, by position, that make one request together. Only where any request ends the wait.
        halves: Vec<(usize, usize)>,
        /// The call waits for requests, so that other threads can hold them.
        requests: bool,
    },
}

/// What the agents of one rank do.
#[derive(Clone, Debug, Default)]
pub(crate) struct RankPlan {
    /// All its agents may act; `agents` is then empty.
    pub(crate) free: bool,
    /// It has left.
    pub(crate) ended: bool,
    /// (slot of the thread, what it does).
    pub(crate) agents: Vec<(u32, Doing)>,
    /// It has threads that have not called MPI and may.
    pub(crate) others: bool,
}

/// The plan of a whole job.
pub(crate) struct Plan<'a> {
    pub(crate) ranks: Vec<RankPlan>,
    pub(crate) groups: Groups<'a>,
    pub(crate) collectives: Collectives,
}

impl<'a> Plan<'a> {
    pub(crate) fn new(picture: &'a Picture, index: &Index<'a>) -> Self {
        let mut maker = Maker {
            index,
            matching: Matching::new(index),
            groups: Groups::default(),
            collectives: Collectives::default(),
        };
        let ranks = (0_u32..)
            .zip(&picture.ranks)
            .map(|(rank, content)| maker.rank(WorldRank(rank), content))
            .collect();
        Self {
            ranks,
            groups: maker.groups,
            collectives: maker.collectives,
        }
    }
}

struct Maker<'a, 'i> {
    index: &'i Index<'a>,
    matching: Matching<'a, 'i>,
    groups: Groups<'a>,
    collectives: Collectives,
}

impl<'a> Maker<'a, '_> {
    fn rank(&mut self, me: WorldRank, rank: &'a RankPicture) -> RankPlan {
        let mut plan = RankPlan {
            free: may_act(rank),
            ended: has_left(rank),
            ..RankPlan::default()
        };
        if plan.free {
            return plan;
        }
        let mut ops = self.operations(me, rank);
        for thread in rank.threads.iter().filter(|t| !t.not_an_agent) {
            let doing = match &thread.call {
                None => Doing::Free,
                Some(call) => match &call.wait {
                    Wait::Finalize if plan.ended => continue,
                    Wait::Free | Wait::Finalize => Doing::Free,
                    Wait::Operations {
                        need,
                        ops: ids,
                        unknown_requests,
                    } => waits(
                        &mut ops,
                        rank,
                        *need,
                        ids,
                        *unknown_requests,
                        is_wait_for_requests(&call.function),
                    ),
                },
            };
            // Outside MPI, a thread of a rank that has left can never call it again.
            if plan.ended && thread.call.is_none() {
                continue;
            }
            plan.agents.push((thread.thread, doing));
        }
        if !plan.ended {
            plan.others = rank.other_threads > 0;
            // A running rank has some thread that may act; if none is known, it was not observed.
            plan.free = plan.agents.is_empty();
        }
        plan
    }

    /// What each operation that a thread waits for waits for. Operations that may be complete have no entry.
    fn operations(&mut self, me: WorldRank, rank: &'a RankPicture) -> HashMap<u64, OpWait> {
        let mut waited: Vec<u64> = Vec::new();
        for thread in rank.threads.iter().filter(|t| !t.not_an_agent) {
            if let Some(Wait::Operations { ops, .. }) = thread.call.as_ref().map(|c| &c.wait) {
                waited.extend_from_slice(ops);
            }
        }
        waited.sort_unstable();
        let mut found = HashMap::new();
        if waited.is_empty() {
            return found;
        }
        let ordered = order_is_certain(rank);
        let mut earlier = Posted::default();
        for operation in &rank.ops {
            if !operation.cancelled
                && waited.binary_search(&operation.id).is_ok()
                && let Some(wait) = self.operation(me, rank, operation, &earlier)
            {
                found.insert(operation.id, wait);
            }
            if ordered && !operation.cancelled {
                earlier.add(self.index, me, operation);
            }
        }
        found
    }

    fn operation(
        &mut self,
        me: WorldRank,
        rank: &'a RankPicture,
        operation: &'a Operation,
        earlier: &Posted,
    ) -> Option<OpWait> {
        match &operation.op {
            &(Op::Recv { comm, from, tag } | Op::Probe { comm, from, tag }) => {
                let envelope = Envelope { comm, from, tag };
                self.matching
                    .receive(&mut self.groups, me, envelope, earlier)
            }
            op @ Op::Send { .. } => self.matching.send(me, rank, op),
            op @ Op::Collective { .. } => {
                self.collectives.wait(self.index, &mut self.groups, me, op)
            }
            Op::Local => None,
        }
    }
}

/// Whether the call waits for requests that were made by other calls (and so may be known to other threads).
fn is_wait_for_requests(function: &str) -> bool {
    let blocking = ["Recv", "recv", "Probe", "probe", "Send", "send"];
    !blocking.iter().any(|name| function.contains(name))
}

fn waits(
    found: &mut HashMap<u64, OpWait>,
    rank: &RankPicture,
    need: Need,
    ids: &[u64],
    unknown: u32,
    requests: bool,
) -> Doing {
    let mut ops: Vec<(u64, Option<OpWait>)> = Vec::with_capacity(ids.len());
    let mut seen = std::collections::HashSet::with_capacity(ids.len());
    for &id in ids {
        if seen.insert(id) {
            ops.push((id, found.get(&id).cloned()));
        }
    }
    let halves = match need {
        Need::All => Vec::new(),
        Need::Any => halves(rank, &ops),
    };
    // A request of two halves may be complete if both may.
    let mut pending: Vec<bool> = ops.iter().map(|(_, wait)| wait.is_some()).collect();
    for &(a, b) in &halves {
        let either = pending[a] || pending[b];
        (pending[a], pending[b]) = (either, either);
    }
    let released = match need {
        Need::All => ops.iter().all(|(_, wait)| wait.is_none()),
        Need::Any => unknown > 0 || ops.is_empty() || pending.contains(&false),
    };
    if released {
        return Doing::Free;
    }
    Doing::Waits {
        need,
        ops,
        halves,
        requests,
    }
}

/// Positions of operations that make one request together.
fn halves(rank: &RankPicture, ops: &[(u64, Option<OpWait>)]) -> Vec<(usize, usize)> {
    let named = rank.ops.iter().filter_map(|o| Some((o.id, o.half?)));
    let half: HashMap<u64, u64> = named.collect();
    if half.is_empty() {
        return Vec::new();
    }
    let at: HashMap<u64, usize> = ops.iter().enumerate().map(|(at, o)| (o.0, at)).collect();
    // Each names the other, and once is enough.
    ops.iter()
        .enumerate()
        .filter_map(|(one, (id, _))| {
            let other = half.get(id).filter(|other| half.get(other) == Some(id))?;
            (id < other).then_some((one, *at.get(other)?))
        })
        .collect()
}
