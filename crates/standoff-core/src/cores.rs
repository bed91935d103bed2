//! Cores: what to show of the stuck part.

use crate::graph::{Graph, NodeId};
use crate::reduce::Reduction;

/// What holds a [`Core`] together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CoreKind {
    /// The members wait for each other: they are the agents of one nontrivial strongly connected part.
    Cycle,
    /// The members wait directly for agents that have ended, or for nobody at all (then `ended` is empty).
    Ended,
}

/// One independent reason why agents are stuck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Core {
    /// What holds it together.
    pub kind: CoreKind,
    /// The agents of the core, in id order; never empty. Ended agents are in [`ended`](Self::ended) instead.
    pub members: Vec<NodeId>,
    /// The ended agents that members wait for directly, that is along a path through condition nodes only, in id order.
    pub ended: Vec<NodeId>,
    /// A short cycle of members: each waits for the next, the last for the first. Empty for [`CoreKind::Ended`].
    pub cycle: Vec<NodeId>,
    /// All stuck agents that can be reached from the members, members included, in id order.
    pub closure: Vec<NodeId>,
    /// Stuck agents that are in no core and reach this one, in id order.
    pub victims: Vec<NodeId>,
    /// Whether some wait in the closure, of an agent or of a condition node, is a [`May`](crate::Strength::May) wait.
    pub has_may: bool,
}

/// Finds the cores among the stuck nodes.
#[must_use]
pub fn cores(_graph: &Graph, _reduction: &Reduction) -> Vec<Core> {
    Vec::new()
}
