//! From the plan to the graph.
//!
//! Two graphs are made of one plan. The *release* graph holds everything that could release an agent; it alone decides
//! who is stuck. The *blame* graph holds, for those who are, only what MPI makes them wait for; cores are taken from it,
//! so that they show causes. Agents have the same ids in both.

use std::collections::HashMap;

use standoff_core::{Graph, Need, NodeId, Reduction, Strength};

use crate::agents::Agent;
use crate::group::GroupId;
use crate::index::Index;
use crate::picture;
use crate::picture::{CommRank, WorldRank};
use crate::plan::{Cond, Doing, OpWait, Plan, Siblings, Together};

/// What an agent node stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Thread(Agent),
    /// Threads that have not called MPI, or all of a rank of which too little is known.
    Others,
    Ended(WorldRank),
}

/// A graph, and what its agents stand for.
pub(crate) struct Net {
    pub(crate) graph: Graph,
    /// By the index of the agent's node: agents come first.
    pub(crate) who: Vec<Who>,
    /// The agents of each rank, by world rank.
    pub(crate) agents: Vec<Vec<NodeId>>,
    /// By the index of the agent's node: what keeps it waiting, as (position among its operations, node).
    waits: Vec<Vec<(usize, NodeId)>>,
}

/// Which graph to make.
#[derive(Clone, Copy)]
pub(crate) enum Purpose<'r> {
    Release,
    /// For those who are stuck here.
    Blame(&'r Reduction),
}

impl Net {
    pub(crate) fn new(plan: &Plan<'_>, index: &Index<'_>, purpose: Purpose<'_>) -> Self {
        let mut net = Net {
            graph: Graph::with_capacity(plan.ranks.len() * 4, plan.ranks.len() * 4),
            who: Vec::with_capacity(plan.ranks.len()),
            agents: Vec::with_capacity(plan.ranks.len()),
            waits: Vec::new(),
        };
        for (rank, content) in (0_u32..).map(WorldRank).zip(&plan.ranks) {
            let mut agents = Vec::with_capacity(1);
            if content.ended {
                let node = net.graph.add_agent();
                net.graph.set_ended(node);
                net.who.push(Who::Ended(rank));
                agents.push(node);
            }
            if content.free || content.others {
                agents.push(net.graph.add_agent());
                net.who.push(Who::Others);
            }
            for &(thread, _) in &content.agents {
                agents.push(net.graph.add_agent());
                net.who.push(Who::Thread(Agent { rank, thread }));
            }
            net.agents.push(agents);
        }
        net.waits.resize(net.who.len(), Vec::new());
        let ranks = net
            .agents
            .iter()
            .map(|agents| any(&mut net.graph, agents))
            .collect();
        let mut wires = Wires {
            plan,
            index,
            purpose,
            net,
            ranks,
            shared: HashMap::new(),
            trees: HashMap::new(),
        };
        for rank in 0..plan.ranks.len() {
            wires.rank(rank);
        }
        wires.net
    }

    /// The world rank of an ended agent.
    pub(crate) fn ended(&self, node: NodeId) -> Option<WorldRank> {
        match self.who.get(node.index()) {
            Some(&Who::Ended(rank)) => Some(rank),
            _ => None,
        }
    }

    /// What keeps an agent waiting: positions among its operations, and their nodes.
    pub(crate) fn waits(&self, node: NodeId) -> &[(usize, NodeId)] {
        self.waits.get(node.index()).map_or(&[], Vec::as_slice)
    }

    /// The thread that a node stands for.
    pub(crate) fn thread(&self, node: NodeId) -> Option<Agent> {
        match self.who.get(node.index()) {
            Some(&Who::Thread(agent)) => Some(agent),
            _ => None,
        }
    }
}

/// A condition that any of these satisfies; for one target that target itself.
fn any(graph: &mut Graph, targets: &[NodeId]) -> NodeId {
    if let &[one] = targets {
        return one;
    }
    let node = graph.add_condition();
    graph.set_wait(node, Need::Any, Strength::Must, targets);
    node
}

struct Wires<'p, 'a> {
    plan: &'p Plan<'a>,
    index: &'p Index<'a>,
    purpose: Purpose<'p>,
    net: Net,
    /// "Some agent of the rank acts", by world rank.
    ranks: Vec<NodeId>,
    shared: HashMap<Cond, NodeId>,
    /// For each group a tree whose node i stands for "2i or 2i+1 acts"; the leaves, from index len, are its members.
    trees: HashMap<GroupId, Vec<NodeId>>,
}

impl Wires<'_, '_> {
    fn rank(&mut self, rank: usize) {
        let plan = self.plan;
        let content = &plan.ranks[rank];
        let agents = self.net.agents[rank].clone();
        let first = agents.len() - content.agents.len();
        for ((_, doing), &node) in content.agents.iter().zip(&agents[first..]) {
            let Doing::Waits {
                need,
                ops,
                together,
                requests,
            } = doing
            else {
                continue;
            };
            if let Purpose::Blame(reduction) = self.purpose
                && !reduction.is_stuck(node)
            {
                continue;
            }
            let mut requests_of = Vec::with_capacity(together.len());
            for one in together {
                let (need, ops_of, open): (_, _, &[Cond]) = match one {
                    Together::Must(list) => (Need::All, list, &[]),
                    Together::May { ops, open } => (Need::Any, ops, open),
                };
                let mut targets = Vec::with_capacity(ops_of.len() + open.len());
                for &at in ops_of {
                    let target = self.operation(&ops[at].1, &agents, node, *requests);
                    targets.push(target);
                    self.net.waits[node.index()].push((at, target));
                }
                // That something is not complete yet is no reason to blame somebody.
                if matches!(self.purpose, Purpose::Release) {
                    open.iter().for_each(|cond| self.cond(cond, &mut targets));
                }
                requests_of.push((need, targets));
            }
            let graph = &mut self.net.graph;
            match need {
                picture::Need::All => {
                    for (need, targets) in requests_of {
                        graph.set_wait(node, need, Strength::Must, &targets);
                    }
                }
                picture::Need::Any => {
                    let each = requests_of.into_iter().map(|(need, targets)| {
                        if let &[one] = &targets[..] {
                            return one;
                        }
                        let request = graph.add_condition();
                        graph.set_wait(request, need, Strength::Must, &targets);
                        request
                    });
                    let targets: Vec<NodeId> = each.collect();
                    graph.set_wait(node, Need::Any, Strength::Must, &targets);
                }
            }
        }
    }

    fn operation(&mut self, wait: &OpWait, own: &[NodeId], me: NodeId, requests: bool) -> NodeId {
        let mut targets = Vec::new();
        let conds = match self.purpose {
            Purpose::Release => &wait.release,
            Purpose::Blame(_) => &wait.blame,
        };
        for cond in conds {
            self.cond(cond, &mut targets);
        }
        let siblings = match wait.siblings {
            Siblings::Never => false,
            Siblings::IfRequest => requests,
            Siblings::Always => true,
        };
        if siblings && matches!(self.purpose, Purpose::Release) {
            targets.extend(own.iter().copied().filter(|&agent| agent != me));
        }
        if let (&[one], Strength::Must) = (&targets[..], wait.strength) {
            return one;
        }
        let node = self.net.graph.add_condition();
        self.net
            .graph
            .set_wait(node, Need::Any, wait.strength, &targets);
        node
    }

    /// Adds nodes of which any satisfies `cond`.
    fn cond(&mut self, cond: &Cond, targets: &mut Vec<NodeId>) {
        let plan = self.plan;
        match cond {
            Cond::Rank(rank) => targets.push(self.ranks[rank.0 as usize]),
            &Cond::Others { group, except } => self.others(group, except, targets),
            Cond::Backlog(rank) => {
                let ranks = self.index.backlog(*rank);
                if !ranks.is_empty() {
                    let node = self.shared(cond, Need::Any, ranks);
                    targets.push(node);
                }
            }
            &Cond::AllMissing(id) => {
                let ranks = &plan.collectives.get(id).missing_ranks;
                let node = self.shared(cond, Need::All, ranks);
                targets.push(node);
            }
            &Cond::AnyMissing(id) => {
                let ranks = &plan.collectives.get(id).missing_ranks;
                if !ranks.is_empty() {
                    let node = self.shared(cond, Need::Any, ranks);
                    targets.push(node);
                }
            }
            &Cond::Variant(id, slot) => {
                let ranks = &plan.collectives.get(id).variants[slot].ranks;
                let node = self.shared(cond, Need::Any, ranks);
                targets.push(node);
            }
            &Cond::FirstMissing(id, count) => {
                let mut before: Option<NodeId> = None;
                for (at, &(_, rank)) in plan.collectives.get(id).missing[..count].iter().enumerate()
                {
                    let rank = self.ranks[rank.0 as usize];
                    let key = Cond::FirstMissing(id, at + 1);
                    let node = match self.shared.get(&key) {
                        Some(&node) => node,
                        None => {
                            let node = self.net.graph.add_condition();
                            let both = [before.unwrap_or(rank), rank];
                            self.net.graph.set_wait(
                                node,
                                Need::All,
                                Strength::Must,
                                &both[usize::from(before.is_none())..],
                            );
                            self.shared.insert(key, node);
                            node
                        }
                    };
                    before = Some(node);
                }
                targets.extend(before);
            }
            Cond::All(ranks) => {
                let node = self.shared(cond, Need::All, ranks);
                targets.push(node);
            }
        }
    }

    fn shared(&mut self, cond: &Cond, need: Need, ranks: &[WorldRank]) -> NodeId {
        if let Some(&node) = self.shared.get(cond) {
            return node;
        }
        // A rank outside the job is not known to be anything, and whoever depends on it is free.
        let targets: Vec<NodeId> = ranks
            .iter()
            .filter_map(|rank| self.ranks.get(rank.0 as usize).copied())
            .collect();
        let node = self.net.graph.add_condition();
        if targets.len() == ranks.len() {
            self.net
                .graph
                .set_wait(node, need, Strength::Must, &targets);
        }
        self.shared.insert(cond.clone(), node);
        node
    }

    /// Any member of the group other than one: O(log n) nodes of the group's tree.
    fn others(&mut self, group: GroupId, except: Option<CommRank>, targets: &mut Vec<NodeId>) {
        let members = self.plan.groups.members(group);
        let len = members.len();
        let (graph, ranks) = (&mut self.net.graph, &self.ranks);
        let tree = self.trees.entry(group).or_insert_with(|| {
            let leaves = members.iter().map(|rank| ranks[rank.0 as usize]);
            let mut tree: Vec<NodeId> = leaves.clone().collect();
            tree.extend(leaves);
            for at in (1..len).rev() {
                tree[at] = any(graph, &[tree[2 * at], tree[2 * at + 1]]);
            }
            tree
        });
        let mut range = |from: usize, to: usize| {
            let (mut low, mut high) = (from + len, to + len);
            while low < high {
                if low % 2 == 1 {
                    targets.push(tree[low]);
                    low += 1;
                }
                if high % 2 == 1 {
                    high -= 1;
                    targets.push(tree[high]);
                }
                low /= 2;
                high /= 2;
            }
        };
        match except {
            None => range(0, len),
            Some(CommRank(rank)) => {
                range(0, rank as usize);
                range(rank as usize + 1, len);
            }
        }
    }
}
