//! The wait-for graph: who waits for what, and how much of it is needed.
//!
//! # Definition
//! A node is either an *agent* (something that acts: a rank, a thread) or a *condition* (something that happens: a
//! pending request, one instance of a collective). Every node has a [`Condition`]. A node that waits names its targets
//! and a [`Need`]: how many of them must be releasable before the node itself is. What "releasable" means, and which
//! nodes are not, is computed by [`reduce`](crate::reduce()).
//!
//! # Reference
//! Wait-for graphs with AND, OR and k-of-n requests: E. Knapp, *Deadlock detection in distributed databases*, ACM
//! Computing Surveys 19(4), 1987; the resource and communication models of K. M. Chandy, J. Misra and L. M. Haas,
//! *Distributed deadlock detection*, ACM TOCS 1(2), 1983; for MPI T. Hilbrich et al., *MPI runtime error detection with
//! MUST*, SC 2012, and *Distributed wait state tracking for runtime MPI deadlock detection*, SC 2013.
//!
//! # Deviations
//! * The literature nests AND and OR in one agent's request. Here nesting is spelled out with condition nodes, so that
//!   one condition shared by many agents (a barrier of a million ranks) costs one node and linearly many edges.
//! * Agents that ended and the world outside the program are conditions of their own, and not silent absences.
//! * A wait carries a [`Strength`], so that one graph serves both for what MPI promises and for what one library does.

use std::fmt;

/// A node of one [`Graph`]: handed out by [`Graph::add_agent`] and [`Graph::add_condition`], numbered from 0 in the
/// order of those calls, and meaningful only with that graph.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct NodeId(u32);

impl NodeId {
    /// The number of nodes that were added before this one.
    #[inline]
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The node with this index. The caller has it from an index of the same graph, so it fits.
    #[inline]
    pub(crate) const fn from_index(index: usize) -> Self {
        Self(index as u32)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}", self.0)
    }
}

/// How many of a wait's targets must be releasable.
///
/// A target that is listed twice counts twice, for `All` and `AtLeast` alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Need {
    /// Every target (an AND wait). All of an empty list is satisfied at once.
    All,
    /// One target (an OR wait). Any of an empty list is never satisfied.
    Any,
    /// This many targets. `AtLeast(0)` is satisfied at once, and more than there are targets never is.
    AtLeast(u32),
}

impl Need {
    /// The number of targets needed out of `targets`.
    #[inline]
    #[must_use]
    pub const fn of(self, targets: u32) -> u32 {
        match self {
            Need::All => targets,
            Need::Any => 1,
            Need::AtLeast(k) => k,
        }
    }
}

/// Whether a wait is certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Strength {
    /// Nothing but its targets lets the node go on.
    Must,
    /// The node may also be let go without them (a standard send that may yet be buffered).
    May,
}

/// What a node is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// It can act (an agent), or it has happened or may happen (a condition).
    Free,
    /// It will never act again, or never happen. Nobody who needs it is released, but it is not itself blocked.
    Ended,
    /// It depends on the world outside the program, so it is always possible.
    External,
    /// It waits for its targets.
    Wait {
        /// How many of the targets it needs.
        need: Need,
        /// Whether it can be let go without them.
        strength: Strength,
    },
}

/// Where a node's targets lie in the arena. Invariant: `start + len` is at most the arena's length.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: u32,
    len: u32,
}

/// A wait-for graph.
///
/// Building it is linear: 21 bytes a node and 4 bytes an edge. A list of targets that is replaced by a longer one
/// leaves its old place in the arena unused, so a node should be set only a few times.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// One entry a node.
    conditions: Vec<Condition>,
    /// One entry a node; empty for whatever does not wait.
    spans: Vec<Span>,
    /// One entry a node: is it an agent?
    agents: Vec<bool>,
    /// The target lists, one after the other. Every entry is a node of this graph.
    arena: Vec<NodeId>,
}

impl Graph {
    /// An empty graph.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty graph with room for that many nodes and edges.
    #[must_use]
    pub fn with_capacity(nodes: usize, edges: usize) -> Self {
        Self {
            conditions: Vec::with_capacity(nodes),
            spans: Vec::with_capacity(nodes),
            agents: Vec::with_capacity(nodes),
            arena: Vec::with_capacity(edges),
        }
    }

    /// Adds an agent. It starts [`Condition::Free`].
    ///
    /// # Panics
    /// When the graph has 2³² − 16 nodes already.
    pub fn add_agent(&mut self) -> NodeId {
        self.add(true)
    }

    /// Adds a condition: a helper node such as a pending request or one instance of a collective. It starts
    /// [`Condition::Free`].
    ///
    /// # Panics
    /// When the graph has 2³² − 16 nodes already.
    pub fn add_condition(&mut self) -> NodeId {
        self.add(false)
    }

    fn add(&mut self, agent: bool) -> NodeId {
        let index = self.conditions.len();
        assert!(
            index < (u32::MAX - 15) as usize,
            "too many nodes in a wait-for graph"
        );
        self.conditions.push(Condition::Free);
        self.spans.push(Span::default());
        self.agents.push(agent);
        NodeId::from_index(index)
    }

    /// Says that `n` can act.
    ///
    /// # Panics
    /// When `n` is not a node of this graph.
    pub fn set_free(&mut self, n: NodeId) {
        self.set(n, Condition::Free);
    }

    /// Says that `n` depends on the world outside the program.
    ///
    /// # Panics
    /// When `n` is not a node of this graph.
    pub fn set_external(&mut self, n: NodeId) {
        self.set(n, Condition::External);
    }

    /// Says that `n` will never act again (or, for a condition, never happen).
    ///
    /// # Panics
    /// When `n` is not a node of this graph.
    pub fn set_ended(&mut self, n: NodeId) {
        self.set(n, Condition::Ended);
    }

    fn set(&mut self, n: NodeId, condition: Condition) {
        self.conditions[n.index()] = condition;
        self.spans[n.index()].len = 0;
    }

    /// Says that `n` waits for `need` of `targets`. Replaces whatever was said of `n` before.
    ///
    /// # Panics
    /// When `n` or a target is not a node of this graph, or the graph has 2³² − 1 edges already.
    pub fn set_wait(&mut self, n: NodeId, need: Need, strength: Strength, targets: &[NodeId]) {
        let nodes = self.len();
        assert!(
            targets.iter().all(|t| t.index() < nodes),
            "a target is not a node of this graph"
        );
        self.conditions[n.index()] = Condition::Wait { need, strength };
        let span = &mut self.spans[n.index()];
        if targets.len() <= span.len as usize {
            let start = span.start as usize;
            self.arena[start..start + targets.len()].copy_from_slice(targets);
        } else {
            assert!(
                self.arena.len() + targets.len() < u32::MAX as usize,
                "too many edges in a wait-for graph"
            );
            span.start = self.arena.len() as u32;
            self.arena.extend_from_slice(targets);
        }
        span.len = targets.len() as u32;
    }

    /// Whether `n` is an agent.
    #[inline]
    #[must_use]
    pub fn is_agent(&self, n: NodeId) -> bool {
        self.agents[n.index()]
    }

    /// What `n` is doing.
    #[inline]
    #[must_use]
    pub fn condition(&self, n: NodeId) -> Condition {
        self.conditions[n.index()]
    }

    /// What `n` waits for, in the order given; empty when it does not wait.
    #[inline]
    #[must_use]
    pub fn targets(&self, n: NodeId) -> &[NodeId] {
        let Span { start, len } = self.spans[n.index()];
        &self.arena[start as usize..start as usize + len as usize]
    }

    /// The number of nodes, agents and conditions together.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.conditions.len()
    }

    /// Whether there is no node.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }

    /// The number of edges: the lengths of all target lists together.
    #[must_use]
    pub fn edges(&self) -> usize {
        self.spans.iter().map(|s| s.len as usize).sum()
    }

    /// All nodes, in id order.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = NodeId> + ExactSizeIterator + use<> {
        (0..self.len()).map(NodeId::from_index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_node_is_free_and_a_wait_replaces_what_was_there() {
        let mut g = Graph::new();
        let (a, b, c) = (g.add_agent(), g.add_agent(), g.add_condition());
        assert_eq!((a.index(), b.index(), c.index(), g.len()), (0, 1, 2, 3));
        assert!(g.is_agent(a) && !g.is_agent(c));
        assert_eq!(g.condition(c), Condition::Free);

        g.set_wait(a, Need::Any, Strength::May, &[b, c]);
        assert_eq!(g.targets(a), [b, c]);
        g.set_wait(b, Need::All, Strength::Must, &[a]);
        g.set_wait(a, Need::All, Strength::Must, &[c]);
        assert_eq!(
            (g.targets(a), g.targets(b), g.edges()),
            (&[c][..], &[a][..], 2)
        );
        g.set_wait(a, Need::AtLeast(2), Strength::Must, &[c, b, c]);
        assert_eq!(
            (g.targets(a), g.targets(b), g.edges()),
            (&[c, b, c][..], &[a][..], 4)
        );
        g.set_ended(a);
        assert!(g.targets(a).is_empty());
        assert_eq!(g.condition(a), Condition::Ended);
    }

    #[test]
    #[should_panic(expected = "not a node of this graph")]
    fn a_target_of_another_graph_is_refused() {
        let mut other = Graph::new();
        other.add_agent();
        let far = other.add_agent();
        let mut g = Graph::new();
        let a = g.add_agent();
        g.set_wait(a, Need::All, Strength::Must, &[far]);
    }
}
