//! Reduction: which nodes can never be released.
//!
//! # Definition
//! The *releasable* nodes are the least set such that
//! * what is [`Free`](Condition::Free) or [`External`](Condition::External) is releasable;
//! * a wait is releasable when at least as many of its targets are as it needs;
//! * a [`May`](Strength::May) wait is releasable under [`Assume::MayWaitsPass`].
//!
//! What has [`Ended`](Condition::Ended) is not releasable, and is not stuck either: nobody is blocked there. Every other
//! node is *stuck*. The stuck nodes together with the ended ones are the greatest set no member of which can be released
//! by nodes outside the set.
//!
//! # Reference
//! The reduction of a wait-for graph (Knapp 1987, section 3; Holt, *Some deadlock properties of computer systems*, ACM
//! Computing Surveys 4(3), 1972) done with a worklist and one counter a node, as Dowling and Gallier (J. Logic
//! Programming 1(3), 1984) do for Horn formulas: a wait for k of n is a threshold clause.
//!
//! # Deviations
//! Turning edges round costs many times a look at them in order, so that is done only where it pays. Sweeps over the
//! waits come first, up and down in turn, each releasing what the nodes released so far allow: [`SWEEPS`] of them, then
//! more for as long as each decides an eighth (nodes and edges) of what it looks at. If the last one still released something, reverse
//! edges are made, of undecided waits only.
//!
//! # What it promises
//! A stuck node cannot be released, whatever the other nodes do, if each wait in the graph is true: nodes that may act
//! must have been declared so. A node is never called stuck because of what happens later; a free agent that will never
//! do what it is waited for releases its waiters here (until it has ended, or waits itself).

use crate::graph::{Condition, Graph, NodeId, Strength};

/// What to think of waits that may be let go ([`Strength::May`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Assume {
    /// They are: what is stuck then is stuck on every implementation (the strict reduction).
    MayWaitsPass,
    /// They are not: what is stuck then is stuck if this implementation does not let them go (the lenient reduction).
    MayWaitsBlock,
}

/// Which nodes of one graph are stuck.
#[derive(Clone, Debug)]
pub struct Reduction {
    assume: Assume,
    /// One entry a node.
    stuck: Vec<bool>,
    /// The stuck agents, in id order.
    agents: Vec<NodeId>,
}

impl Reduction {
    /// Whether `n` waits and can never be released. False for what has ended.
    #[inline]
    #[must_use]
    pub fn is_stuck(&self, n: NodeId) -> bool {
        self.stuck[n.index()]
    }

    /// The stuck agents, in id order.
    pub fn stuck_agents(&self) -> impl ExactSizeIterator<Item = NodeId> + '_ {
        self.agents.iter().copied()
    }

    /// What was assumed of waits that may be let go.
    #[must_use]
    pub fn assume(&self) -> Assume {
        self.assume
    }
}

/// Finds the nodes that can never be released. Linear in nodes plus edges.
#[must_use]
pub fn reduce(graph: &Graph, assume: Assume) -> Reduction {
    let mut released = vec![false; graph.len()];
    // The waits not decided yet, in id order.
    let mut waiting = Vec::new();
    for node in graph.nodes() {
        match graph.condition(node) {
            Condition::Free | Condition::External => released[node.index()] = true,
            Condition::Ended => {}
            Condition::Wait {
                strength: Strength::May,
                ..
            } if assume == Assume::MayWaitsPass => {
                released[node.index()] = true;
            }
            Condition::Wait { need, .. } => {
                if need.of(graph.targets(node).len() as u32) == 0 {
                    released[node.index()] = true;
                } else {
                    waiting.push(node);
                }
            }
        }
    }
    let mut going = released.contains(&true);
    let mut sweeps = 0;
    // Nodes and edges that a sweep looks at.
    let size = |v: NodeId| 1 + graph.targets(v).len();
    let mut left: usize = waiting.iter().map(|&v| size(v)).sum();
    while going && !waiting.is_empty() {
        let before = left;
        let mut sweep = |v: NodeId| {
            if is_satisfied(graph, v, &released) {
                released[v.index()] = true;
            }
        };
        if sweeps % 2 == 0 {
            waiting.iter().for_each(|&v| sweep(v));
        } else {
            waiting.iter().rev().for_each(|&v| sweep(v));
        }
        waiting.retain(|&v| {
            if released[v.index()] {
                left -= size(v);
            }
            !released[v.index()]
        });
        sweeps += 1;
        let gone = before - left;
        going = gone > 0;
        if going && sweeps >= SWEEPS && gone < before / SHARE {
            propagate(graph, &mut waiting, &mut released);
            going = false;
        }
    }
    let mut stuck = vec![false; graph.len()];
    for &node in &waiting {
        stuck[node.index()] = true;
    }
    waiting.retain(|&node| graph.is_agent(node));
    Reduction {
        assume,
        stuck,
        agents: waiting,
    }
}

/// So many sweeps are made in any case.
const SWEEPS: usize = 2;
/// Further sweeps are made while each decides at least one part in so many of what it looks at.
const SHARE: usize = 8;

/// Whether enough targets of a waiting node are released.
fn is_satisfied(graph: &Graph, node: NodeId, released: &[bool]) -> bool {
    let Condition::Wait { need, .. } = graph.condition(node) else {
        return false;
    };
    let targets = graph.targets(node);
    let mut missing = need.of(targets.len() as u32);
    // How many targets may still turn out not to be released.
    let Some(mut spare) = (targets.len() as u32).checked_sub(missing) else {
        return false;
    };
    for t in targets {
        if missing == 0 {
            break;
        }
        if released[t.index()] {
            missing -= 1;
        } else if spare == 0 {
            return false;
        } else {
            spare -= 1;
        }
    }
    missing == 0
}

/// How many more of its targets must be released before a waiting node is.
fn missing(graph: &Graph, node: NodeId, released: &[bool]) -> u32 {
    let Condition::Wait { need, .. } = graph.condition(node) else {
        return 0;
    };
    let targets = graph.targets(node);
    let have = targets.iter().filter(|t| released[t.index()]).count() as u32;
    need.of(targets.len() as u32).saturating_sub(have)
}

/// Releases all of `waiting` that can be, with one counter a node and a worklist over reverse edges.
fn propagate(graph: &Graph, waiting: &mut Vec<NodeId>, released: &mut [bool]) {
    // What each waiting node lacks beyond the targets released by now. The edges to those are not turned round, so
    // that every other edge counts down once, when its target is taken from the worklist.
    let mut lacks = vec![0_u32; graph.len()];
    let mut work = Vec::new();
    for &node in &*waiting {
        let missing = missing(graph, node, released);
        lacks[node.index()] = missing;
        if missing == 0 {
            work.push(node);
        }
    }
    let waiters = Reverse::new(
        graph,
        || waiting.iter().copied().filter(|v| lacks[v.index()] > 0),
        |t| !released[t.index()],
    );
    // First in, first out: what comes next is known early, so that its looks at memory overlap. Twice as fast as a stack.
    let mut next = 0;
    while let Some(&node) = work.get(next) {
        next += 1;
        released[node.index()] = true;
        for &waiter in waiters.of(node) {
            let lacks = &mut lacks[waiter.index()];
            if *lacks > 0 {
                *lacks -= 1;
                if *lacks == 0 {
                    work.push(waiter);
                }
            }
        }
    }
    waiting.retain(|v| !released[v.index()]);
}

/// Edges turned round, in compressed rows.
pub(crate) struct Reverse {
    /// Row `t` is `sources[starts[t]..starts[t + 1]]`.
    starts: Vec<u32>,
    sources: Vec<NodeId>,
}

impl Reverse {
    /// Turns round the edges of `sources`, which must give the same nodes both times, to the targets that `to` accepts.
    pub(crate) fn new<I: Iterator<Item = NodeId>>(
        graph: &Graph,
        sources: impl Fn() -> I,
        to: impl Fn(NodeId) -> bool,
    ) -> Self {
        let targets = |v| graph.targets(v).iter().filter(|t| to(**t));
        let mut starts = vec![0_u32; graph.len() + 1];
        for t in sources().flat_map(targets) {
            starts[t.index()] += 1;
        }
        // Now the end of each row; filling turns ends into starts.
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut rows = vec![NodeId::from_index(0); sum as usize];
        for v in sources() {
            for t in targets(v) {
                let place = &mut starts[t.index()];
                *place -= 1;
                rows[*place as usize] = v;
            }
        }
        Self {
            starts,
            sources: rows,
        }
    }

    /// The sources of the edges into `t`.
    pub(crate) fn of(&self, t: NodeId) -> &[NodeId] {
        &self.sources[self.starts[t.index()] as usize..self.starts[t.index() + 1] as usize]
    }
}
