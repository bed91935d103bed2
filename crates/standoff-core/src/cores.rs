//! Cores: why the stuck agents are stuck.
//!
//! # Definition
//! The *stuck subgraph* has an edge from each stuck node to each of its targets that is stuck or has ended; targets that
//! can be released do not matter, for they cannot help. A *core* is
//! * a **cycle**: a nontrivial strongly connected part of it (two nodes, or one that waits for itself) with an agent
//!   in it; or
//! * an **ended** core: ended agents and the agents in no cycle that wait directly for them; or agents that wait
//!   for nobody at all.
//!
//! Every stuck agent is a member of a core or a *victim*: it reaches one.
//!
//! # Reference
//! Knots and cycles in wait-for graphs: Knapp 1987; Chandy, Misra and Haas 1983; the presentation of the remaining arcs to a
//! person: Hilbrich et al. 2012. Strongly connected parts: Tarjan 1972.
//!
//! # Deviations
//! * The literature asks whether there is a knot (OR) or a cycle (AND). With k-of-n waits neither is right; the reduction
//!   decides *whether*, and the cores only say *why*. So a cycle here need not be a knot: it is made of agents
//!   that are proved stuck already, and its [`closure`](Core::closure) names all on whom that proof rests.
//! * One drawn cycle and bounded lists instead of all cycles, of which there are exponentially many.
//!
//! # Limits
//! * Closures within a budget: see [`cores()`].
//! * A wait for more targets than it lists is stuck by itself. It is told as such only when it reaches no agent; else it is
//!   counted among those it waits for.
//! * A cycle through condition nodes only (which no real program has) is no core; agents that reach nothing but
//!   such cycles wait for nobody.

use crate::closure::{self, AT_LEAST, PER_ITEM};
use crate::cycle::Cycles;
use crate::ended::{Ends, Marks};
use crate::graph::{Condition, Graph, NodeId, Strength};
use crate::reduce::Reduction;
use crate::scc::{self, NONE, Parts};
use crate::victims::victims;

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

/// Finds the cores among the stuck nodes, in the order of their smallest members.
///
/// `reduction` must be of this very graph. Time and memory are linear in nodes plus edges, for any number of cores. To
/// keep that promise the lists are bounded where they would outgrow the graph:
/// * An agent is the victim of at most 8 cores, even if it reaches more.
/// * Closures are found with a budget of a million looks and one for each node and edge. Once it is spent, the cores left (those with the
///   greatest smallest members) keep only the members that reach no other core; their other members become victims. A
///   closure is always complete, and a core that waits for no other is never lost.
/// * [`Core::ended`] of a cycle is complete within the same budget, and after that may be cut short.
#[must_use]
pub fn cores(graph: &Graph, reduction: &Reduction) -> Vec<Core> {
    if reduction.stuck_agents().len() == 0 {
        return Vec::new();
    }
    cores_within(
        graph,
        reduction,
        AT_LEAST + PER_ITEM * (graph.len() + graph.edges()),
    )
}

/// A core in the making.
pub(crate) struct Draft {
    kind: CoreKind,
    /// In id order. Empty: it was given up.
    pub(crate) members: Vec<NodeId>,
    ended: Vec<NodeId>,
    pub(crate) closure: Vec<NodeId>,
}

/// [`cores()`] with a given budget for closures, and the same for ended agents.
pub(crate) fn cores_within(graph: &Graph, reduction: &Reduction, budget: usize) -> Vec<Core> {
    let parts = scc::parts(graph, reduction);
    let ends = Ends::new(graph, reduction, &parts);
    let mut marks = Marks::new(graph.len());
    let mut core_of = vec![NONE; graph.len()];
    let mut drafts = draft(graph, reduction, &parts, &ends, &mut core_of);
    let mut left = budget;
    for d in drafts.iter_mut().filter(|d| d.kind == CoreKind::Cycle) {
        d.ended = ends.ended_of(&d.members, &mut marks, &mut left);
    }
    drop(marks);
    closure::close(
        graph,
        reduction,
        &parts,
        &ends,
        &mut drafts,
        &mut core_of,
        budget,
    );

    let may = reaches_may(graph, &parts);
    let mut cycles = Cycles::new(graph, &parts);
    // Where each draft went, for those that are kept.
    let mut place = vec![NONE; drafts.len()];
    let mut cores = Vec::with_capacity(drafts.len());
    for (d, place) in drafts
        .into_iter()
        .zip(&mut place)
        .filter(|(d, _)| !d.members.is_empty())
    {
        *place = cores.len() as u32;
        cores.push(Core {
            kind: d.kind,
            cycle: match d.kind {
                CoreKind::Cycle => cycles.through(d.members[0]),
                CoreKind::Ended => Vec::new(),
            },
            victims: Vec::new(),
            has_may: d
                .members
                .iter()
                .any(|&m| parts.of(m).is_some_and(|p| may[p])),
            members: d.members,
            ended: d.ended,
            closure: d.closure,
        });
    }
    victims(
        graph,
        &parts,
        &core_of,
        reduction.stuck_agents(),
        |draft, agent| {
            cores[place[draft] as usize].victims.push(agent);
        },
    );
    cores.sort_by_key(|c| c.members[0]);
    cores
}

/// The cores with their members, and the ended agents of ended cores, in the order of their smallest members; `core_of`
/// learns the core of each member.
fn draft(
    graph: &Graph,
    reduction: &Reduction,
    parts: &Parts,
    ends: &Ends<'_>,
    core_of: &mut [u32],
) -> Vec<Draft> {
    let in_cycle = |v: NodeId| {
        parts.of(v).is_some_and(|p| parts.nodes(p).len() > 1) || graph.targets(v).contains(&v)
    };
    let mut groups = ends.group(reduction.stuck_agents().filter(|&v| !in_cycle(v)));
    let mut grouped = groups.agents().to_vec().into_iter().peekable();
    let mut core_of_part = vec![NONE; parts.len()];
    let mut core_of_group = vec![
        NONE;
        if grouped.peek().is_some() {
            graph.len()
        } else {
            0
        }
    ];
    let mut drafts: Vec<Draft> = Vec::new();
    for v in reduction.stuck_agents() {
        let (kind, slot) = if in_cycle(v) {
            let Some(p) = parts.of(v) else { continue };
            (CoreKind::Cycle, &mut core_of_part[p])
        } else if grouped.next_if_eq(&v).is_some() {
            (CoreKind::Ended, &mut core_of_group[groups.key(v)])
        } else {
            continue;
        };
        if *slot == NONE {
            *slot = drafts.len() as u32;
            drafts.push(Draft {
                kind,
                members: vec![],
                ended: vec![],
                closure: vec![],
            });
        }
        core_of[v.index()] = *slot;
        drafts[*slot as usize].members.push(v);
    }
    if !core_of_group.is_empty() {
        let ended = |&v: &NodeId| graph.is_agent(v) && graph.condition(v) == Condition::Ended;
        for v in graph.nodes().filter(ended) {
            let core = core_of_group[groups.key(v)];
            if core != NONE {
                drafts[core as usize].ended.push(v);
            }
        }
    }
    drafts
}

/// For each part: is there a may-wait in it or in a part that it reaches?
fn reaches_may(graph: &Graph, parts: &Parts) -> Vec<bool> {
    let is_may = |v: NodeId| {
        matches!(
            graph.condition(v),
            Condition::Wait {
                strength: Strength::May,
                ..
            }
        )
    };
    let mut may = vec![false; parts.len()];
    let mut some = false;
    for (p, may) in may.iter_mut().enumerate() {
        *may = parts.nodes(p).iter().any(|&v| is_may(v));
        some |= *may;
    }
    for p in 0..if some { parts.len() } else { 0 } {
        may[p] = may[p]
            || parts.exits(p)
                && parts.nodes(p).iter().any(|&v| {
                    graph
                        .targets(v)
                        .iter()
                        .any(|&t| parts.of(t).is_some_and(|q| may[q]))
                });
    }
    may
}
