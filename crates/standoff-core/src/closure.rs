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
//! So there is a budget, [`PER_ITEM`] looks for each node and edge. Closures are walked core by core, in the order of
//! smallest members, until it is spent. From the remaining cores then only those members are kept that reach no other core that is
//! kept: their closure is themselves. The others become victims. Hence whatever the graph:
//! * every closure given is complete;
//! * every stuck agent is a member of a core or the victim of one;
//! * a core that waits for no other core is never lost altogether.
//!
//! Jobs that hang have a handful of cores; the budget is for graphs made to be hard.

use crate::cores::Draft;
use crate::ended::{Ends, Marks};
use crate::graph::{Graph, NodeId};
use crate::scc::{NONE, Parts};

/// How many nodes and edges may be looked at, for each node and edge of the graph, to find all closures.
pub(crate) const PER_ITEM: usize = 8;

/// Fills in the closures of `drafts`; empties the members of those that are given up. `core_of` tells each agent's
/// draft and is kept up to date.
pub(crate) fn close(
    graph: &Graph,
    parts: &Parts,
    ends: &Ends<'_>,
    marks: &mut Marks,
    drafts: &mut [Draft],
    core_of: &mut [u32],
    mut budget: usize,
) {
    let mut walked = vec![true; drafts.len()];
    for (draft, walked) in drafts.iter_mut().zip(&mut walked) {
        if !draft
            .members
            .iter()
            .any(|&m| parts.of(m).is_some_and(|p| parts.exits(p)))
        {
            draft.closure.clone_from(&draft.members);
        } else if budget > 0 {
            let used = walk(graph, ends, marks, draft);
            budget = budget.saturating_sub(used);
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

/// Walks the closure of one core; how many nodes and edges were looked at.
fn walk(graph: &Graph, ends: &Ends<'_>, marks: &mut Marks, draft: &mut Draft) -> usize {
    marks.clear();
    let mut work: Vec<NodeId> = draft.members.clone();
    for &m in &draft.members {
        marks.mark(m);
    }
    let mut used = 0;
    while let Some(v) = work.pop() {
        if graph.is_agent(v) {
            draft.closure.push(v);
        }
        used += 1 + graph.targets(v).len();
        for &t in graph.targets(v) {
            if ends.reaches_agent(t) && marks.mark(t) {
                work.push(t);
            }
        }
    }
    draft.closure.sort_unstable();
    used
}
