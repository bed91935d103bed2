//! What each core rests on: closures, within a budget.
//!
//! # Definition
//! The closure of a core is the set of stuck agents that its members reach, members included. A verdict about the core
//! is a statement about every agent in its closure, so a closure is complete or the core is not given.
//!
//! # Reference
//! Plain reachability; no algorithm is known that lists all closures in time linear in the graph, and none can be:
//! a chain of n cores, each waiting for the next, has closures of n²/2 agents together.
//!
//! # Deviations
//! So there is a budget: [`AT_LEAST`] looks, and [`PER_ITEM`] for each node and edge. Closures are walked core by core, in the order of
//! smallest members, until it is spent. From the remaining cores then only those members are kept that reach no other core that is
//! kept: their closure is themselves. The others become victims. Hence whatever the graph:
//! * every closure given is complete;
//! * every stuck agent is a member of a core or the victim of one;
//! * a core that waits for no other core is never lost altogether.
//!
//! Walks go from part to part, so that a large part that many cores reach is not walked edge by edge each time.
//!
//! Jobs that hang have a handful of cores; the budget is for graphs made to be hard.

use crate::cores::Draft;
use crate::ended::{Ends, Marks};
use crate::graph::{Graph, NodeId};
use crate::reduce::Reduction;
use crate::scc::{NONE, Parts};

/// How many nodes, and edges between parts, may be looked at, for each node and edge of the graph, to find all closures.
pub(crate) const PER_ITEM: usize = 1;

/// How many more may be looked at whatever the size of the graph: some milliseconds' worth.
pub(crate) const AT_LEAST: usize = 1_000_000;

/// Fills in the closures of `drafts`; empties the members of those that are given up. `core_of` tells each agent's
/// draft and is kept up to date.
pub(crate) fn close(
    graph: &Graph,
    reduction: &Reduction,
    parts: &Parts,
    ends: &Ends<'_>,
    drafts: &mut [Draft],
    core_of: &mut [u32],
    mut budget: usize,
) {
    let mut walker: Option<Walker<'_>> = None;
    let mut walked = vec![true; drafts.len()];
    for (draft, walked) in drafts.iter_mut().zip(&mut walked) {
        if !draft
            .members
            .iter()
            .any(|&m| parts.of(m).is_some_and(|p| parts.exits(p)))
        {
            draft.closure.clone_from(&draft.members);
        } else if budget > 0 {
            let walker = walker.get_or_insert_with(|| Walker::new(graph, reduction, parts, ends));
            budget = budget.saturating_sub(walker.walk(draft));
        } else {
            *walked = false;
        }
    }
    if !walked.contains(&false) {
        return;
    }
    // The parts in order, each after those that it reaches: does it reach a core that is kept?
    let mut covered = vec![false; parts.len()];
    for p in 0..parts.len() {
        let mut reaches = parts.exits(p)
            && parts.nodes(p).iter().any(|&v| {
                graph
                    .targets(v)
                    .iter()
                    .any(|&t| parts.of(t).is_some_and(|q| q != p && covered[q]))
            });
        for &v in parts.nodes(p) {
            let core = core_of[v.index()];
            if core == NONE {
                continue;
            }
            if !walked[core as usize] && reaches {
                core_of[v.index()] = NONE;
            }
        }
        reaches |= parts.nodes(p).iter().any(|&v| core_of[v.index()] != NONE);
        covered[p] = reaches;
    }
    for (i, draft) in drafts.iter_mut().enumerate().filter(|(i, _)| !walked[*i]) {
        draft.members.retain(|m| core_of[m.index()] == i as u32);
        draft.closure.clone_from(&draft.members);
    }
}

/// Walks closures from part to part.
struct Walker<'a> {
    graph: &'a Graph,
    reduction: &'a Reduction,
    parts: &'a Parts,
    /// Where the edges out of part `p` begin in `edges`; they end where those of the next part begin.
    starts: Vec<u32>,
    /// The parts that each part has an edge to, itself and those that reach no agent left out, each listed once.
    edges: Vec<u32>,
    /// The parts reached in this walk.
    marks: Marks,
}

impl<'a> Walker<'a> {
    fn new(graph: &'a Graph, reduction: &'a Reduction, parts: &'a Parts, ends: &Ends<'_>) -> Self {
        let mut starts = Vec::with_capacity(parts.len() + 1);
        let mut edges = Vec::new();
        let mut marks = Marks::new(parts.len());
        for p in 0..parts.len() {
            starts.push(edges.len() as u32);
            if !parts.exits(p) {
                continue;
            }
            marks.clear();
            marks.mark(p);
            for t in parts.nodes(p).iter().flat_map(|&v| graph.targets(v)) {
                if let Some(q) = parts.of(*t)
                    && ends.part_reaches_agent(q)
                    && marks.mark(q)
                {
                    edges.push(q as u32);
                }
            }
        }
        starts.push(edges.len() as u32);
        Self {
            graph,
            reduction,
            parts,
            starts,
            edges,
            marks,
        }
    }

    /// Walks the closure of one core; how many nodes and edges were looked at.
    fn walk(&mut self, draft: &mut Draft) -> usize {
        self.marks.clear();
        let mut reached = Vec::new();
        for p in draft.members.iter().filter_map(|&m| self.parts.of(m)) {
            if self.marks.mark(p) {
                reached.push(p);
            }
        }
        let mut next = 0;
        let mut nodes = 0;
        let mut edges = 0;
        while let Some(&p) = reached.get(next) {
            next += 1;
            nodes += self.parts.nodes(p).len();
            let out = &self.edges[self.starts[p] as usize..self.starts[p + 1] as usize];
            edges += out.len();
            for &q in out {
                if self.marks.mark(q as usize) {
                    reached.push(q as usize);
                }
            }
        }
        let agents = self.reduction.stuck_agents();
        if nodes > agents.len() / 8 {
            // Cheaper than sorting.
            let reached = |&v: &NodeId| self.parts.of(v).is_some_and(|p| self.marks.has(p));
            draft.closure.extend(agents.filter(reached));
        } else {
            let all = reached.iter().flat_map(|&p| self.parts.nodes(p));
            draft
                .closure
                .extend(all.filter(|&&v| self.graph.is_agent(v)));
            draft.closure.sort_unstable();
        }
        nodes + edges
    }
}
