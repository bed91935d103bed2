//! From the cores of a graph to what a finding says.

use std::collections::{BTreeMap, HashMap};

use standoff_core::{Core, NodeId, Reduction, Strength};

use crate::agents::Agent;
use crate::analysis::Finder;
use crate::collectives::Edges;
use crate::index::{Index, Posted, count};
use crate::near::{self, Wanted};
use crate::picture::{
    CollectiveKind, CommId, CommPicture, Need, Op, Operation, RankPicture, RankState, Source, Tag,
    Tags, Wait, WorldRank,
};
use crate::plan::{Cond, Doing, OpWait};
use crate::reason::{
    Agents, Blocked, BlockedOp, CollectiveMismatch, CollectiveVariant, Finding, OpKind, Peer,
    PostedReceive, Ranks, Reason, SentTag,
};

pub(crate) struct Describer<'f, 'p, 'a> {
    pub(crate) finder: &'f Finder<'p, 'a>,
    pub(crate) reduction: &'f Reduction,
    /// Who is waited for, by what is blamed.
    pub(crate) targets: HashMap<Vec<Cond>, (Agents, Ranks)>,
}

/// Groups up to this size have lists of their own for each member.
const SMALL: usize = 256;
/// Messages or receives named in a reason.
const NAMED: usize = 8;

impl<'a> Describer<'_, '_, 'a> {
    pub(crate) fn finding(&mut self, core: &Core, closure: Vec<Agent>) -> Finding {
        let index = self.finder.index;
        let mut blocked: Vec<Blocked> = self.all(&core.members);
        blocked.sort_by_key(|b| b.agent);
        let mut ended: Vec<WorldRank> = core
            .ended
            .iter()
            .filter_map(|&node| self.finder.release.ended(node))
            .collect();
        let mut last: Option<&Ranks> = None;
        for op in blocked.iter().flat_map(|b| &b.ops) {
            if last.is_none_or(|last| !std::sync::Arc::ptr_eq(last, &op.ended)) {
                ended.extend(op.ended.iter());
                last = Some(&op.ended);
            }
        }
        ended.sort_unstable();
        ended.dedup();
        let mut victims = self.all(&core.victims);
        for (rank, content) in (0_u32..).map(WorldRank).zip(&index.picture.ranks) {
            if sits_in_finalize(content) && ended.binary_search(&rank).is_err() {
                victims.push(Blocked {
                    agent: Agent { rank, thread: 0 },
                    function: "MPI_Finalize".to_owned(),
                    need: Need::All,
                    ops: Vec::new(),
                    omitted: 0,
                });
            }
        }
        victims.sort_by_key(|b| b.agent);
        let cycle = core
            .cycle
            .iter()
            .filter_map(|&node| self.finder.release.thread(node))
            .collect();
        Finding {
            has_may: blocked.iter().flat_map(|b| &b.ops).any(|op| op.may),
            mismatches: self.mismatches(&blocked),
            core: blocked,
            cycle,
            closure,
            victims,
            ended,
        }
    }

    fn all(&mut self, nodes: &[NodeId]) -> Vec<Blocked> {
        nodes
            .iter()
            .filter_map(|&node| self.blocked(node))
            .collect()
    }

    fn blocked(&mut self, node: NodeId) -> Option<Blocked> {
        let agent = self.finder.release.thread(node)?;
        let rank = self.finder.index.rank(agent.rank)?;
        let call = rank
            .threads
            .iter()
            .find(|t| t.thread == agent.thread)?
            .call
            .as_ref()?;
        let plan = self.finder.plan.ranks.get(agent.rank.0 as usize)?;
        let (_, Doing::Waits { need, ops, .. }) = plan
            .agents
            .iter()
            .find(|(thread, _)| *thread == agent.thread)?
        else {
            return None;
        };
        let stuck: Vec<(u64, &OpWait)> = self
            .finder
            .release
            .waits(node)
            .iter()
            .filter(|&&(_, target)| self.is_stuck(target))
            .filter_map(|&(at, _)| ops.get(at))
            .map(|(id, wait)| (*id, wait))
            .collect();
        let described: Vec<BlockedOp> = stuck
            .iter()
            .take(Blocked::MOST_OPS)
            .filter_map(|&(id, wait)| self.operation(agent, rank, id, wait))
            .collect();
        Some(Blocked {
            agent,
            function: call.function.clone(),
            need: *need,
            omitted: stuck.len().saturating_sub(Blocked::MOST_OPS),
            ops: described,
        })
    }

    /// Whether the node is never released: stuck, or an ended agent.
    fn is_stuck(&self, node: NodeId) -> bool {
        self.reduction.is_stuck(node) || self.finder.release.ended(node).is_some()
    }

    fn operation(
        &mut self,
        agent: Agent,
        rank: &RankPicture,
        id: u64,
        wait: &OpWait,
    ) -> Option<BlockedOp> {
        let me = agent.rank;
        let operation = rank.ops.iter().find(|o| o.id == id)?;
        let (comm, kind, peer, tag) = match operation.op {
            Op::Recv { comm, from, tag } => (comm?, OpKind::Receive, from, tag),
            Op::Probe { comm, from, tag } => (comm?, OpKind::Probe, from, tag),
            Op::Send {
                comm,
                to,
                tag,
                mode,
                ..
            } => (comm?, OpKind::Send(mode), Source::Rank(to), Some(tag)),
            Op::Collective {
                comm,
                seq,
                kind,
                root,
                blocking,
                start,
                ..
            } => {
                let kind = OpKind::Collective {
                    kind,
                    root,
                    blocking,
                    seq,
                    start,
                };
                (comm?, kind, Source::Any, None)
            }
            Op::Local | Op::Opaque => return None,
        };
        let content = rank.comms.iter().find(|c| c.id == comm);
        let peer = match (kind, peer) {
            (OpKind::Collective { .. }, _) => Peer::None,
            (_, Source::Any) => Peer::Any,
            (_, Source::Rank(rank)) => Peer::Rank {
                comm: rank,
                world: content?.peer(rank)?,
            },
        };
        let private = content.is_some_and(|c| c.private);
        let reason = match kind {
            // What the program did not choose cannot be what it got wrong.
            OpKind::Receive | OpKind::Probe if private => Reason::NothingSent,
            OpKind::Send(_) if private => Reason::NoReceive,
            OpKind::Receive | OpKind::Probe => self.why_receive(me, rank, comm, peer, tag),
            OpKind::Send(_) => self.why_send(me, comm, peer),
            OpKind::Collective { .. } => self.why_collective(me, comm, private, kind, wait),
        };
        let (waits_for, ended) = self.waits_for(wait);
        Some(BlockedOp {
            id,
            kind,
            comm,
            comm_name: content.map_or_else(|| "a communicator".to_owned(), |c| c.name.clone()),
            private,
            peer,
            tag,
            may: wait.strength == Strength::May,
            waits_for,
            ended,
            reason,
        })
    }

    fn waits_for(&mut self, wait: &OpWait) -> (Agents, Ranks) {
        let plan = self.finder.plan;
        let mut key = wait.blame.clone();
        for cond in &mut key {
            if let Cond::Others { group, except } = cond
                && plan.groups.members(*group).len() > SMALL
            {
                *except = None;
            }
        }
        if let Some(found) = self.targets.get(&key) {
            return found.clone();
        }
        let mut ranks: Vec<WorldRank> = Vec::new();
        for cond in &key {
            match cond {
                Cond::Rank(rank) | Cond::Backlog(rank) => ranks.push(*rank),
                Cond::Others { group, except } => ranks.extend(
                    (0_u32..)
                        .zip(plan.groups.members(*group))
                        .filter(|&(at, _)| except.is_none_or(|except| except.0 != at))
                        .map(|(_, rank)| *rank),
                ),
                Cond::AllMissing(id) | Cond::AnyMissing(id) => {
                    ranks.extend(plan.collectives.get(*id).missing_ranks.iter());
                }
                Cond::Variant(id, slot) => {
                    ranks.extend(&plan.collectives.get(*id).variants[*slot].ranks)
                }
                Cond::FirstMissing(id, count) => {
                    ranks.extend(
                        plan.collectives.get(*id).missing[..*count]
                            .iter()
                            .map(|m| m.1),
                    );
                }
                Cond::All(list) => ranks.extend(list),
            }
        }
        ranks.sort_unstable();
        ranks.dedup();
        let release = self.finder.release;
        let (mut agents, mut ended) = (Vec::new(), Vec::new());
        for rank in ranks {
            for &node in &release.agents[rank.0 as usize] {
                if let Some(rank) = release.ended(node) {
                    ended.push(rank);
                } else if self.reduction.is_stuck(node) {
                    agents.extend(release.thread(node));
                }
            }
        }
        agents.sort_unstable();
        let found: (Agents, Ranks) = (agents.into(), ended.into());
        self.targets.insert(key, found.clone());
        found
    }

    fn why_receive(
        &self,
        me: WorldRank,
        rank: &RankPicture,
        comm: CommId,
        peer: Peer,
        tag: Option<Tag>,
    ) -> Reason {
        let index = self.finder.index;
        let channels = match peer {
            Peer::Rank { world, .. } => index.channel(comm, world, me),
            Peer::Any | Peer::None => index.inbox(comm, me),
        };
        if count(channels, tag).is_some_and(|n| n > 0) {
            return Reason::Claimed;
        }
        let mut posted = Posted::default();
        for operation in rank.ops.iter().filter(|o| !o.cancelled) {
            posted.add(index, me, operation);
        }
        let mut sent = Vec::new();
        for (from, tags) in channels {
            let Tags::Known(list) = tags else { continue };
            for &(tag, n) in list {
                let taken = posted.exactly(comm, Some(*from), Some(tag));
                if n > taken {
                    sent.push(SentTag {
                        from: *from,
                        tag,
                        count: n - taken,
                    });
                }
            }
        }
        sent.sort_unstable();
        sent.truncate(NAMED);
        if !sent.is_empty() {
            return Reason::TagDiffers { sent };
        }
        if let Peer::Rank { world, .. } = peer {
            let comms: Vec<(CommId, String)> = rank
                .comms
                .iter()
                .filter(|c| c.id != comm && elsewhere(index, &posted, c, world, me, tag))
                .take(NAMED)
                .map(|c| (c.id, c.name.clone()))
                .collect();
            if !comms.is_empty() {
                return Reason::OtherCommunicator { comms };
            }
            let wanted = Wanted {
                me,
                comm,
                from: world,
                tag,
            };
            let sent = near::from_others(index, wanted, &posted);
            if !sent.is_empty() {
                return Reason::OtherSource { sent };
            }
            let sent = near::to_others(index, wanted);
            if !sent.is_empty() {
                return Reason::OtherDestination { sent };
            }
        }
        Reason::NothingSent
    }

    fn why_send(&self, me: WorldRank, comm: CommId, peer: Peer) -> Reason {
        let Peer::Rank { world: dest, .. } = peer else {
            return Reason::NoReceive;
        };
        let Some(rank) = self.finder.index.rank(dest) else {
            return Reason::NoReceive;
        };
        // Only receives can be stuck on this very send's account: those that name its sender or anybody.
        let posted: Vec<PostedReceive> = rank
            .ops
            .iter()
            .filter(|o| !o.cancelled)
            .filter_map(|o| posted_receive(rank, o))
            .filter(|p| p.from.is_none_or(|from| from == me))
            .filter(|p| p.comm != comm || p.from == Some(me) || p.tag.is_some())
            .take(NAMED)
            .collect();
        if posted.is_empty() {
            Reason::NoReceive
        } else {
            Reason::ReceiveDiffers { posted }
        }
    }

    fn why_collective(
        &self,
        me: WorldRank,
        comm: CommId,
        private: bool,
        kind: OpKind,
        wait: &OpWait,
    ) -> Reason {
        let collectives = &self.finder.plan.collectives;
        let OpKind::Collective {
            kind,
            root,
            blocking,
            seq,
            start,
        } = kind
        else {
            return Reason::NothingSent;
        };
        let instance = wait.blame.iter().find_map(|cond| match cond {
            Cond::AllMissing(id)
            | Cond::AnyMissing(id)
            | Cond::FirstMissing(id, _)
            | Cond::Variant(id, _) => Some(collectives.get(*id)),
            _ => None,
        });
        let Some(instance) = instance.or_else(|| collectives.find(comm, seq, start)) else {
            return Reason::NotEntered {
                missing: Ranks::default(),
            };
        };
        let missing = instance.missing_ranks.clone();
        let mine = CollectiveVariant::called(kind, root, blocking, start);
        // mpi4py gives its own back when the program ends: nobody called anything else.
        let frees = |v: &CollectiveVariant| v.kind == CollectiveKind::CommFree;
        if private && (frees(&mine) || instance.others(&mine).all(|(_, v)| frees(v))) {
            let others = instance.others(&mine).flat_map(|(_, v)| &v.ranks);
            let mut missing: Vec<WorldRank> = missing.iter().chain(others).copied().collect();
            missing.sort_unstable();
            missing.dedup();
            return Reason::NotEntered {
                missing: missing.into(),
            };
        }
        let differs = if instance.intercomm {
            instance.roots_differ
        } else {
            instance.others(&mine).next().is_some()
        };
        if differs {
            let roots = instance.one_operation;
            return Reason::Different { missing, roots };
        }
        match Edges::missing(self.finder.index, me, comm, kind) {
            Some(edges) if missing.is_empty() => Reason::EdgeMissing {
                sources: edges.sources,
                destinations: edges.destinations,
            },
            _ => Reason::NotEntered { missing },
        }
    }

    fn mismatches(&self, core: &[Blocked]) -> Vec<CollectiveMismatch> {
        let mut places: BTreeMap<(CommId, u64), (Option<u64>, &str)> = BTreeMap::new();
        for op in core.iter().flat_map(|b| &b.ops) {
            if let (OpKind::Collective { seq, start, .. }, Reason::Different { .. }) =
                (op.kind, &op.reason)
            {
                places
                    .entry((op.comm, seq))
                    .or_insert((start, &op.comm_name));
            }
        }
        let instances = places
            .into_iter()
            .filter_map(|((comm, seq), (start, name))| {
                let instance = self.finder.plan.collectives.find(comm, seq, start)?;
                let mut variants = instance.variants.clone();
                variants.sort_by(|a, b| a.ranks.cmp(&b.ranks));
                Some(CollectiveMismatch {
                    comm,
                    comm_name: name.to_owned(),
                    seq,
                    intercomm: instance.intercomm,
                    variants,
                })
            });
        instances.collect()
    }
}

fn sits_in_finalize(rank: &RankPicture) -> bool {
    !rank.moving
        && rank.state == RankState::Finalized
        && (rank.threads.is_empty()
            || rank
                .threads
                .iter()
                .any(|t| t.call.as_ref().is_some_and(|c| c.wait == Wait::Finalize)))
}

/// Whether messages are in flight on another communicator that the receive would take there.
fn elsewhere(
    index: &Index<'_>,
    posted: &Posted,
    comm: &CommPicture,
    from: WorldRank,
    me: WorldRank,
    tag: Option<Tag>,
) -> bool {
    index
        .channel(comm.id, from, me)
        .iter()
        .any(|(_, tags)| match tags {
            Tags::Unknown => false,
            Tags::Known(list) => list.iter().any(|&(sent, n)| {
                tag.is_none_or(|tag| tag == sent)
                    && n > posted.exactly(comm.id, Some(from), Some(sent))
            }),
        })
}

fn posted_receive(rank: &RankPicture, operation: &Operation) -> Option<PostedReceive> {
    let (Op::Recv { comm, from, tag } | Op::Probe { comm, from, tag }) = operation.op else {
        return None;
    };
    let comm = rank.comms.iter().find(|c| Some(c.id) == comm)?;
    Some(PostedReceive {
        from: match from {
            Source::Any => None,
            Source::Rank(peer) => Some(comm.peer(peer)?),
        },
        tag,
        comm: comm.id,
        comm_name: comm.name.clone(),
    })
}
