//! What every agent waits for, before any graph is made of it.

use std::collections::HashMap;

use standoff_core::Strength;

use crate::agents::{has_left, may_act, order_is_certain};
use crate::collectives::{Collectives, InstanceId};
use crate::group::{GroupId, Groups};
use crate::index::{Index, Posted};
use crate::matching::{Envelope, Matching};
use crate::picture::{
    CommRank, Need, Op, Operation, Picture, RankPicture, SendMode, Source, Wait, WorldRank,
};

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

/// What is known of an operation that a call waits for.
#[derive(Clone, Debug)]
pub(crate) enum State {
    /// It cannot be complete before somebody has acted.
    Waits(OpWait),
    /// It may be complete. If it is not, this has to come first: somebody acts, or is at least in MPI, so that the library can go on. `None`: nobody
    /// knows what.
    Open(Option<Cond>),
    /// It is complete, or will be without anybody.
    Done,
}

/// Operations of a call of which all must complete.
#[derive(Clone, Debug)]
pub(crate) enum Together {
    /// These, by position, cannot be complete yet, whatever the library does: each has to be released.
    Must(Vec<usize>),
    /// These may all be complete, so one that is not is among them or among the open ones: to release one of them may be enough.
    May { ops: Vec<usize>, open: Vec<Cond> },
}

/// What one agent does.
#[derive(Clone, Debug)]
pub(crate) enum Doing {
    /// It may act.
    Free,
    /// It waits for operations.
    Waits {
        need: Need,
        /// Those that cannot be complete yet, in the order given by the call, each once.
        ops: Vec<(u64, OpWait)>,
        /// For a wait for all, one; for a wait for any, one for each request, of which any ends the wait.
        together: Vec<Together>,
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
        let ops = self.operations(me, rank);
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
                        &ops,
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

    /// What is known of each operation that a thread waits for. Those that are complete have no entry.
    fn operations(&mut self, me: WorldRank, rank: &'a RankPicture) -> HashMap<u64, State> {
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
            if waited.binary_search(&operation.id).is_ok() {
                let wait = match operation.cancelled {
                    true => None,
                    false => self.operation(me, rank, operation, &earlier),
                };
                let state = match wait {
                    Some(wait) => State::Waits(wait),
                    None => self.open(me, operation),
                };
                found.insert(operation.id, state);
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
            Op::Local | Op::Opaque => None,
        }
    }

    /// What an operation that may be complete needs if it is not.
    fn open(&mut self, me: WorldRank, operation: &'a Operation) -> State {
        let cond = match &operation.op {
            _ if operation.cancelled => None,
            Op::Local
            | Op::Send {
                mode: SendMode::Buffered,
                ..
            } => return State::Done,
            &(Op::Recv { comm, from, .. } | Op::Probe { comm, from, .. }) => {
                comm.and_then(|id| self.matching.sources(&mut self.groups, me, id, from))
            }
            &Op::Send { comm, to, .. } => comm.and_then(|id| self.matching.destination(me, id, to)),
            Op::Collective { comm, members, .. } => comm
                .filter(|_| members.is_none())
                .and_then(|id| self.matching.sources(&mut self.groups, me, id, Source::Any)),
            Op::Opaque => None,
        };
        State::Open(cond)
    }
}

/// Whether the call waits for requests that were made by other calls (and so may be known to other threads).
fn is_wait_for_requests(function: &str) -> bool {
    let blocking = ["Recv", "recv", "Probe", "probe", "Send", "send"];
    !blocking.iter().any(|name| function.contains(name))
}

fn waits(
    found: &HashMap<u64, State>,
    rank: &RankPicture,
    need: Need,
    ids: &[u64],
    unknown: u32,
    requests: bool,
) -> Doing {
    let mut ops: Vec<(u64, OpWait)> = Vec::with_capacity(ids.len());
    let mut all: Vec<(u64, Each)> = Vec::with_capacity(ids.len());
    let mut seen = std::collections::HashSet::with_capacity(ids.len());
    for &id in ids {
        if !seen.insert(id) {
            continue;
        }
        let each = match found.get(&id) {
            Some(State::Waits(wait)) => {
                ops.push((id, wait.clone()));
                match wait.strength {
                    Strength::Must => Each::Must(ops.len() - 1),
                    Strength::May => Each::May(ops.len() - 1),
                }
            }
            Some(State::Open(cond)) => Each::Open(cond.clone()),
            Some(State::Done) | None => Each::Done,
        };
        all.push((id, each));
    }
    let together: Option<Vec<Together>> = match need {
        Need::All => together(all.iter().map(|(_, each)| each), unknown > 0).map(|one| vec![one]),
        Need::Any if unknown > 0 || all.is_empty() => None,
        Need::Any => requests_of(rank, &all)
            .into_iter()
            .map(|(one, other)| {
                let both = [Some(one), other].into_iter().flatten();
                together(both.map(|at| &all[at].1), false)
            })
            .collect(),
    };
    match together {
        None => Doing::Free,
        Some(together) => Doing::Waits {
            need,
            ops,
            together,
            requests,
        },
    }
}

/// An operation among others.
enum Each {
    /// By position among those that wait.
    Must(usize),
    May(usize),
    Open(Option<Cond>),
    Done,
}

/// What a wait for all of these waits for; `None`: it may be over. `unknown`: there are more, of which nothing is known.
///
/// That a may-wait has not ended can only be seen from a call that would have returned then. Beside something that cannot be complete the call tells
/// nothing of it; and beside others that may or may not be complete it tells that one of all these is not.
fn together<'e>(each: impl Iterator<Item = &'e Each>, unknown: bool) -> Option<Together> {
    let (mut must, mut may, mut open, mut anybody) = (Vec::new(), Vec::new(), Vec::new(), unknown);
    for each in each {
        match each {
            Each::Must(at) => must.push(*at),
            Each::May(at) => may.push(*at),
            Each::Open(Some(cond)) => open.push(cond.clone()),
            Each::Open(None) => anybody = true,
            Each::Done => {}
        }
    }
    if !must.is_empty() {
        return Some(Together::Must(must));
    }
    (!may.is_empty() && !anybody).then_some(Together::May { ops: may, open })
}

/// The requests that operations make: each alone, but for the two of an `MPI_Isendrecv`. By position.
fn requests_of(rank: &RankPicture, all: &[(u64, Each)]) -> Vec<(usize, Option<usize>)> {
    let named = rank.ops.iter().filter_map(|o| Some((o.id, o.half?)));
    let half: HashMap<u64, u64> = named.collect();
    if half.is_empty() {
        return (0..all.len()).map(|at| (at, None)).collect();
    }
    let at: HashMap<u64, usize> = all.iter().enumerate().map(|(at, o)| (o.0, at)).collect();
    let other = |id: &u64| {
        let other = half.get(id).filter(|other| half.get(other) == Some(id))?;
        at.get(other).copied()
    };
    // Each names the other, and once is enough.
    all.iter()
        .enumerate()
        .map(|(one, (id, _))| (one, other(id)))
        .filter(|&(one, other)| other.is_none_or(|other| one < other))
        .collect()
}
