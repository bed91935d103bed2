//! Strongly connected parts of the stuck subgraph.
//!
//! # Definition
//! The *stuck subgraph* has the stuck nodes, and an edge from each to every stuck target of it. Two nodes are in the
//! same *part* when each reaches the other.
//!
//! # Reference
//! R. E. Tarjan, *Depth-first search and linear graph algorithms*, SIAM J. Computing 1(2), 1972.
//!
//! # Deviations
//! * Iterative: a chain of a million agents must not need a million stack frames.
//! * One array holds the visiting number and the marks "finished" and "not in the graph", so that an edge costs one look.
//! * Each part also learns whether an edge leaves it, at no further cost.

use crate::graph::{Graph, NodeId};
use crate::reduce::Reduction;

/// "None" in tables of 32-bit indices.
pub(crate) const NONE: u32 = u32::MAX;

/// The strongly connected parts, every part after all the parts that it reaches.
pub(crate) struct Parts {
    /// The nodes, part by part.
    nodes: Vec<NodeId>,
    /// Part `p` is `nodes[starts[p]..starts[p + 1]]`.
    starts: Vec<u32>,
    /// One entry a node of the graph: its part, or [`NONE`] for a node that is not stuck.
    of: Vec<u32>,
    /// One entry a part: does an edge lead from it to another part?
    exits: Vec<bool>,
}

impl Parts {
    /// The number of parts.
    pub(crate) fn len(&self) -> usize {
        self.exits.len()
    }

    /// The nodes of part `p`.
    pub(crate) fn nodes(&self, p: usize) -> &[NodeId] {
        &self.nodes[self.starts[p] as usize..self.starts[p + 1] as usize]
    }

    /// The part of a node; `None` when it is not stuck.
    #[inline]
    pub(crate) fn of(&self, n: NodeId) -> Option<usize> {
        let p = self.of[n.index()];
        (p != NONE).then_some(p as usize)
    }

    /// Whether an edge leads from part `p` to another part.
    pub(crate) fn exits(&self, p: usize) -> bool {
        self.exits[p]
    }
}

const UNSEEN: u32 = 0;
const FINISHED: u32 = u32::MAX - 1;
const OUTSIDE: u32 = u32::MAX;

/// A node being visited.
struct Frame {
    node: NodeId,
    /// The next target to look at.
    next: u32,
    /// The smallest visiting number known to be reachable in this part.
    low: u32,
    /// Whether an edge out of the part was seen below this node.
    exits: bool,
}

/// Finds the strongly connected parts of the stuck subgraph. Linear.
pub(crate) fn parts(graph: &Graph, reduction: &Reduction) -> Parts {
    let n = graph.len();
    let mut order: Vec<u32> = graph
        .nodes()
        .map(|v| {
            if reduction.is_stuck(v) {
                UNSEEN
            } else {
                OUTSIDE
            }
        })
        .collect();
    let mut of = vec![NONE; n];
    let mut nodes = Vec::new();
    let mut starts = vec![0];
    let mut exits = Vec::new();
    let mut open: Vec<NodeId> = Vec::new();
    let mut frames: Vec<Frame> = Vec::new();
    let mut visited = 0;

    for root in graph.nodes() {
        if order[root.index()] != UNSEEN {
            continue;
        }
        let mut enter = Some(root);
        loop {
            if let Some(node) = enter.take() {
                visited += 1;
                order[node.index()] = visited;
                open.push(node);
                frames.push(Frame {
                    node,
                    next: 0,
                    low: visited,
                    exits: false,
                });
            }
            let Some(frame) = frames.last_mut() else {
                break;
            };
            let targets = graph.targets(frame.node);
            while let Some(&t) = targets.get(frame.next as usize) {
                frame.next += 1;
                match order[t.index()] {
                    UNSEEN => {
                        enter = Some(t);
                        break;
                    }
                    FINISHED => frame.exits = true,
                    OUTSIDE => {}
                    seen => frame.low = frame.low.min(seen),
                }
            }
            if enter.is_some() {
                continue;
            }
            let Frame {
                node,
                low,
                exits: mut leaves,
                ..
            } = *frame;
            frames.pop();
            if low == order[node.index()] {
                let part = exits.len() as u32;
                while let Some(member) = open.pop() {
                    order[member.index()] = FINISHED;
                    of[member.index()] = part;
                    nodes.push(member);
                    if member == node {
                        break;
                    }
                }
                starts.push(nodes.len() as u32);
                exits.push(leaves);
                leaves = true;
            }
            if let Some(parent) = frames.last_mut() {
                parent.low = parent.low.min(low);
                parent.exits |= leaves;
            }
        }
    }
    Parts {
        nodes,
        starts,
        of,
        exits,
    }
}
