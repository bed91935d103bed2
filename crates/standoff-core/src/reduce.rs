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
//! Reverse edges are made only when something is releasable at all, and only for nodes that wait: the reduction of a job
//! in which everybody is blocked is one pass over the nodes.
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
    let n = graph.len();
    // How many more releasable targets a node needs; 0: it is releasable. Ended nodes wait for nothing, so no edge ever
    // counts their value down.
    let mut missing = vec![0_u32; n];
    let mut work = Vec::new();
    for node in graph.nodes() {
        let need = match graph.condition(node) {
            Condition::Free | Condition::External => 0,
            Condition::Ended => u32::MAX,
            Condition::Wait {
                strength: Strength::May,
                ..
            } if assume == Assume::MayWaitsPass => 0,
            Condition::Wait { need, .. } => need.of(graph.targets(node).len() as u32),
        };
        missing[node.index()] = need;
        if need == 0 {
            work.push(node);
        }
    }
    if !work.is_empty() && work.len() < n {
        let waiters = Reverse::new(graph, |node| missing[node.index()] > 0);
        while let Some(node) = work.pop() {
            for &waiter in waiters.of(node) {
                let missing = &mut missing[waiter.index()];
                if *missing > 0 {
                    *missing -= 1;
                    if *missing == 0 {
                        work.push(waiter);
                    }
                }
            }
        }
    }
    let stuck: Vec<bool> = graph
        .nodes()
        .map(|v| missing[v.index()] > 0 && graph.condition(v) != Condition::Ended)
        .collect();
    let agents = graph
        .nodes()
        .filter(|&v| stuck[v.index()] && graph.is_agent(v))
        .collect();
    Reduction {
        assume,
        stuck,
        agents,
    }
}

/// The edges of some nodes turned round, in compressed rows.
pub(crate) struct Reverse {
    /// Row `t` is `sources[starts[t]..starts[t + 1]]`.
    starts: Vec<u32>,
    sources: Vec<NodeId>,
}

impl Reverse {
    /// Turns round the edges of the nodes that `from` accepts.
    pub(crate) fn new(graph: &Graph, from: impl Fn(NodeId) -> bool) -> Self {
        let n = graph.len();
        let mut starts = vec![0_u32; n + 1];
        for v in graph.nodes().filter(|&v| from(v)) {
            for t in graph.targets(v) {
                starts[t.index()] += 1;
            }
        }
        // Now the end of each row; filling from the back turns ends into starts.
        let mut sum = 0;
        for s in &mut starts {
            sum += *s;
            *s = sum;
        }
        let mut sources = vec![NodeId::from_index(0); sum as usize];
        for v in graph.nodes().rev().filter(|&v| from(v)) {
            for t in graph.targets(v).iter().rev() {
                let place = &mut starts[t.index()];
                *place -= 1;
                sources[*place as usize] = v;
            }
        }
        Self { starts, sources }
    }

    /// The sources of the edges into `t`, in id order.
    pub(crate) fn of(&self, t: NodeId) -> &[NodeId] {
        &self.sources[self.starts[t.index()] as usize..self.starts[t.index() + 1] as usize]
    }
}
