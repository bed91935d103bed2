//! One short cycle of a core, to draw.
//!
//! # Definition
//! Among all cycles through the smallest member of a strongly connected part, one with the fewest agents. Condition nodes
//! on the way are passed without being counted or listed: each agent listed waits directly for the next.
//!
//! # Reference
//! Breadth-first search with steps of length 0 and 1 (Dial, *Algorithm 360*, Comm. ACM 12(11), 1969, with two buckets).
//!
//! # Deviations
//! The shortest cycle of the whole part would take a search from every member; through one member it is linear. A part
//! may therefore have a shorter cycle that avoids its smallest member.

use crate::graph::{Graph, NodeId};
use crate::scc::{NONE, Parts};

/// Finds cycles; keeps its table between the parts of one graph.
pub(crate) struct Cycles<'a> {
    graph: &'a Graph,
    parts: &'a Parts,
    /// One entry a node: the node it was first reached from. Parts are disjoint, so this is never cleared.
    parent: Vec<u32>,
}

impl<'a> Cycles<'a> {
    pub(crate) fn new(graph: &'a Graph, parts: &'a Parts) -> Self {
        Self {
            graph,
            parts,
            parent: vec![NONE; graph.len()],
        }
    }

    /// A cycle with the fewest agents through the agent `start`, beginning with it. Empty only if there is none.
    /// To be called at most once a part.
    pub(crate) fn through(&mut self, start: NodeId) -> Vec<NodeId> {
        let part = self.parts.of(start);
        let mut level = vec![start];
        let mut next = Vec::new();
        while !level.is_empty() {
            // `level` grows by the conditions that its agents wait for: they are no step further away.
            let mut i = 0;
            while i < level.len() {
                let v = level[i];
                i += 1;
                for &t in self.graph.targets(v) {
                    if t == start {
                        return self.back(start, v);
                    }
                    if self.parts.of(t) != part || self.parent[t.index()] != NONE {
                        continue;
                    }
                    self.parent[t.index()] = v.index() as u32;
                    if self.graph.is_agent(t) {
                        next.push(t);
                    } else {
                        level.push(t);
                    }
                }
            }
            level.clear();
            std::mem::swap(&mut level, &mut next);
        }
        Vec::new()
    }

    /// The agents on the way from `start` to `last`.
    fn back(&self, start: NodeId, last: NodeId) -> Vec<NodeId> {
        let mut cycle = Vec::new();
        let mut v = last;
        while v != start {
            if self.graph.is_agent(v) {
                cycle.push(v);
            }
            v = NodeId::from_index(self.parent[v.index()] as usize);
        }
        cycle.push(start);
        cycle.reverse();
        cycle
    }
}
