//! Agents that wait directly for an ended agent, or for nobody at all.
//!
//! # Definition
//! A node waits *directly* for what it reaches along a path through condition nodes only. An agent in no cycle that waits
//! directly for an ended agent belongs to an *ended* core; two such agents belong to the same one when a path through
//! shared condition nodes or ended agents joins them. An agent in no cycle that reaches no agent at all (it
//! waits for any of nothing, say, or for more than there is) belongs to an ended core without an ended agent; such agents
//! are together when they share a condition node.
//!
//! # Reference
//! The *missing partner* of a wait state in Hilbrich et al. 2012; disjoint sets after R. E. Tarjan, *Efficiency of a
//! good but not linear set union algorithm*, J. ACM 22(2), 1975.
//!
//! # Deviations
//! MUST treats a wait for a finalized process as any other arc. Here it is a kind of core of its own, because what a
//! person must be told differs: not "these wait for each other" but "this one left".

use crate::graph::{Condition, Graph, NodeId};
use crate::reduce::{Reduction, Reverse};
use crate::scc::{NONE, Parts};

/// What of the graph leads to ended agents, and what leads to nobody.
pub(crate) struct Ends<'a> {
    graph: &'a Graph,
    parts: &'a Parts,
    /// One entry a node: is it a stuck condition that waits directly for an ended agent? Empty when nobody ended.
    leads_to_ended: Vec<bool>,
    /// One entry a part: is there a stuck agent in it, or in a part that it reaches?
    reaches_agent: Vec<bool>,
}

impl<'a> Ends<'a> {
    /// Looks at the whole graph once. Linear.
    pub(crate) fn new(graph: &'a Graph, reduction: &Reduction, parts: &'a Parts) -> Self {
        let mut work: Vec<NodeId> = graph
            .nodes()
            .filter(|&v| is_ended_agent(graph, v))
            .collect();
        let mut leads_to_ended = Vec::new();
        if !work.is_empty() {
            leads_to_ended = vec![false; graph.len()];
            let conditions = || {
                graph
                    .nodes()
                    .filter(|&v| reduction.is_stuck(v) && !graph.is_agent(v))
            };
            let waiters = Reverse::new(graph, conditions, |_| true);
            while let Some(v) = work.pop() {
                for &waiter in waiters.of(v) {
                    let leads = &mut leads_to_ended[waiter.index()];
                    if !*leads {
                        *leads = true;
                        work.push(waiter);
                    }
                }
            }
        }
        let mut reaches_agent = vec![false; parts.len()];
        for p in 0..parts.len() {
            reaches_agent[p] = parts.nodes(p).iter().any(|&v| graph.is_agent(v))
                || parts.nodes(p).iter().any(|&v| {
                    graph
                        .targets(v)
                        .iter()
                        .any(|&t| parts.of(t).is_some_and(|q| reaches_agent[q]))
                });
        }
        Self {
            graph,
            parts,
            leads_to_ended,
            reaches_agent,
        }
    }

    /// Whether there is a stuck agent in part `p` or in one that it reaches.
    #[inline]
    pub(crate) fn part_reaches_agent(&self, p: usize) -> bool {
        self.reaches_agent[p]
    }

    /// Whether a stuck agent is, or can be reached from, the stuck node `v`. False for nodes that are not stuck.
    #[inline]
    pub(crate) fn reaches_agent(&self, v: NodeId) -> bool {
        self.parts.of(v).is_some_and(|p| self.reaches_agent[p])
    }

    /// Whether `v` is an ended agent, or a condition that waits directly for one.
    #[inline]
    fn leads_to_ended(&self, v: NodeId) -> bool {
        !self.leads_to_ended.is_empty()
            && (self.leads_to_ended[v.index()] || is_ended_agent(self.graph, v))
    }

    /// Groups the agents among `candidates` (stuck agents in no cycle) into ended cores.
    pub(crate) fn group(&self, candidates: impl Iterator<Item = NodeId>) -> Groups {
        let graph = self.graph;
        let mut sets = Sets { parent: Vec::new() };
        let mut seen = Vec::new();
        let mut grouped = Vec::new();
        let mut work = Vec::new();
        for agent in candidates {
            let ended = graph.targets(agent).iter().any(|&t| self.leads_to_ended(t));
            if !ended && graph.targets(agent).iter().any(|&t| self.reaches_agent(t)) {
                continue;
            }
            if grouped.is_empty() {
                sets.parent = (0..graph.len() as u32).collect();
                seen = vec![false; graph.len()];
            }
            grouped.push(agent);
            work.push(agent);
            while let Some(v) = work.pop() {
                for &t in graph.targets(v) {
                    let joins = if ended {
                        self.leads_to_ended(t)
                    } else {
                        // Nothing here reaches an agent, so these are conditions.
                        self.parts.of(t).is_some() || graph.condition(t) == Condition::Ended
                    };
                    if joins {
                        sets.join(v, t);
                        if !seen[t.index()] {
                            seen[t.index()] = true;
                            work.push(t);
                        }
                    }
                }
            }
        }
        Groups { sets, grouped }
    }

    /// The ended agents that `members` wait for directly, in id order. Looks at the targets of the members and at
    /// `budget` further ones (but at least 32), and takes what it used from the budget.
    pub(crate) fn ended_of(
        &self,
        members: &[NodeId],
        marks: &mut Marks,
        budget: &mut usize,
    ) -> Vec<NodeId> {
        let mut ended = Vec::new();
        if self.leads_to_ended.is_empty() {
            return ended;
        }
        marks.clear();
        let mut work = Vec::new();
        let mut visit = |t: NodeId, work: &mut Vec<NodeId>| {
            if self.leads_to_ended(t) && marks.mark(t.index()) {
                if self.graph.is_agent(t) {
                    ended.push(t);
                } else {
                    work.push(t);
                }
            }
        };
        for &m in members {
            for &t in self.graph.targets(m) {
                visit(t, &mut work);
            }
        }
        let allowed = (*budget).max(32);
        let mut used = 0;
        'walk: while let Some(v) = work.pop() {
            for &t in self.graph.targets(v) {
                if used == allowed {
                    break 'walk;
                }
                used += 1;
                visit(t, &mut work);
            }
        }
        *budget = budget.saturating_sub(used);
        ended.sort_unstable();
        ended
    }
}

fn is_ended_agent(graph: &Graph, v: NodeId) -> bool {
    graph.is_agent(v) && graph.condition(v) == Condition::Ended
}

/// The agents of all ended cores, and which of them belong together.
pub(crate) struct Groups {
    sets: Sets,
    grouped: Vec<NodeId>,
}

impl Groups {
    /// The agents of all ended cores, in the order of the candidates.
    pub(crate) fn agents(&self) -> &[NodeId] {
        &self.grouped
    }

    /// What the members of one group, and the ended agents they wait for, have in common.
    pub(crate) fn key(&mut self, v: NodeId) -> usize {
        self.sets.find(v.index() as u32) as usize
    }
}

/// Disjoint sets of nodes, with path halving; the smallest node stands for its set.
struct Sets {
    parent: Vec<u32>,
}

impl Sets {
    fn find(&mut self, mut v: u32) -> u32 {
        while self.parent[v as usize] != v {
            let up = self.parent[self.parent[v as usize] as usize];
            self.parent[v as usize] = up;
            v = up;
        }
        v
    }

    fn join(&mut self, a: NodeId, b: NodeId) {
        let (a, b) = (self.find(a.index() as u32), self.find(b.index() as u32));
        self.parent[a.max(b) as usize] = a.min(b);
    }
}

/// A set of nodes or parts, by index, that can be emptied at once.
pub(crate) struct Marks {
    /// One entry an index: the round in which it was marked last.
    rounds: Vec<u32>,
    round: u32,
}

impl Marks {
    /// Room for indices below `len`; none is marked.
    pub(crate) fn new(len: usize) -> Self {
        Self {
            rounds: vec![NONE; len],
            round: 0,
        }
    }

    /// Empties the set.
    pub(crate) fn clear(&mut self) {
        self.round += 1;
        if self.round == NONE {
            self.rounds.fill(NONE);
            self.round = 0;
        }
    }

    /// Marks `i`; whether it was not marked before.
    #[inline]
    pub(crate) fn mark(&mut self, i: usize) -> bool {
        std::mem::replace(&mut self.rounds[i], self.round) != self.round
    }

    /// Whether `i` is marked.
    #[inline]
    pub(crate) fn has(&self, i: usize) -> bool {
        self.rounds[i] == self.round
    }
}
