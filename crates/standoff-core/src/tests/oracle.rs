//! What the reduction and the cores should be, straight from the definitions and without regard to cost.

use std::collections::BTreeSet;

use crate::{Assume, Condition, Core, CoreKind, Graph, Need, NodeId, Strength};

pub(super) type Set = BTreeSet<usize>;

/// A graph as plain data.
#[derive(Clone, Debug)]
pub(super) struct Spec {
    pub(super) nodes: Vec<SpecNode>,
}

#[derive(Clone, Debug)]
pub(super) struct SpecNode {
    pub(super) agent: bool,
    pub(super) condition: Condition,
    pub(super) targets: Vec<usize>,
}

impl Spec {
    pub(super) fn graph(&self) -> Graph {
        let mut graph = Graph::new();
        let ids: Vec<NodeId> = self
            .nodes
            .iter()
            .map(|n| {
                if n.agent {
                    graph.add_agent()
                } else {
                    graph.add_condition()
                }
            })
            .collect();
        for (node, &id) in self.nodes.iter().zip(&ids) {
            match node.condition {
                Condition::Free => graph.set_free(id),
                Condition::Ended => graph.set_ended(id),
                Condition::External => graph.set_external(id),
                Condition::Wait { need, strength } => {
                    let targets: Vec<NodeId> = node.targets.iter().map(|&t| ids[t]).collect();
                    graph.set_wait(id, need, strength, &targets);
                }
            }
        }
        graph
    }

    fn ended(&self, v: usize) -> bool {
        self.nodes[v].condition == Condition::Ended
    }

    /// Can nodes outside `set` release `v`?
    fn released(&self, v: usize, set: &Set, assume: Assume) -> bool {
        let node = &self.nodes[v];
        let outside = node.targets.iter().filter(|t| !set.contains(t)).count();
        match node.condition {
            Condition::Free | Condition::External => true,
            Condition::Ended => false,
            Condition::Wait {
                strength: Strength::May,
                ..
            } if assume == Assume::MayWaitsPass => true,
            Condition::Wait {
                need: Need::All, ..
            } => outside == node.targets.len(),
            Condition::Wait {
                need: Need::Any, ..
            } => outside > 0,
            Condition::Wait {
                need: Need::AtLeast(k),
                ..
            } => outside >= k as usize,
        }
    }

    /// The stuck nodes by shrinking the set of all nodes.
    pub(super) fn stuck(&self, assume: Assume) -> Set {
        let mut set: Set = (0..self.nodes.len()).collect();
        while let Some(v) = set
            .iter()
            .copied()
            .find(|&v| self.released(v, &set, assume))
        {
            set.remove(&v);
        }
        set.retain(|&v| !self.ended(v));
        set
    }

    /// The stuck nodes as the union of all sets that nothing outside can release, found by trying every set.
    pub(super) fn stuck_by_enumeration(&self, assume: Assume) -> Set {
        let n = self.nodes.len();
        let mut union = Set::new();
        for bits in 0_u32..1 << n {
            let set: Set = (0..n).filter(|v| bits >> v & 1 == 1).collect();
            if set.iter().all(|&v| !self.released(v, &set, assume)) {
                union.extend(set);
            }
        }
        union.retain(|&v| !self.ended(v));
        union
    }
}

/// The relations that the definition of a core speaks of.
pub(super) struct Oracle<'a> {
    spec: &'a Spec,
    pub(super) stuck: Set,
    /// `reach[a][b]`: a path of one edge or more from `a` to `b` in the stuck subgraph, ended nodes included.
    reach: Vec<Vec<bool>>,
    /// The same with only condition nodes between `a` and `b`.
    direct: Vec<Vec<bool>>,
}

impl<'a> Oracle<'a> {
    pub(super) fn new(spec: &'a Spec, assume: Assume) -> Self {
        let n = spec.nodes.len();
        let stuck = spec.stuck(assume);
        let mut edges = vec![vec![false; n]; n];
        for &v in &stuck {
            for &t in &spec.nodes[v].targets {
                edges[v][t] = stuck.contains(&t) || spec.ended(t);
            }
        }
        let close = |through: &dyn Fn(usize) -> bool| {
            let mut paths = edges.clone();
            for k in (0..n).filter(|&k| through(k)) {
                for i in 0..n {
                    for j in 0..n {
                        paths[i][j] |= paths[i][k] && paths[k][j];
                    }
                }
            }
            paths
        };
        let reach = close(&|_| true);
        let direct = close(&|k| !spec.nodes[k].agent);
        Self {
            spec,
            stuck,
            reach,
            direct,
        }
    }

    pub(super) fn agents(&self) -> impl Iterator<Item = usize> + '_ {
        self.stuck
            .iter()
            .copied()
            .filter(|&v| self.spec.nodes[v].agent)
    }

    /// The ended agents that `a` waits for directly.
    fn ended_of(&self, a: usize) -> Set {
        (0..self.spec.nodes.len())
            .filter(|&e| self.spec.ended(e) && self.spec.nodes[e].agent && self.direct[a][e])
            .collect()
    }

    /// Kind and members of every core, in the order of the smallest members.
    pub(super) fn cores(&self) -> Vec<(CoreKind, Set)> {
        let in_cycle = |a: usize| self.reach[a][a];
        let lost =
            |a: usize| self.ended_of(a).is_empty() && !self.agents().any(|b| self.reach[a][b]);
        let together = |a: usize, b: usize| {
            if a == b {
                return in_cycle(a) || lost(a) || !self.ended_of(a).is_empty();
            }
            match (in_cycle(a), in_cycle(b)) {
                (true, true) => self.reach[a][b] && self.reach[b][a],
                (false, false) if lost(a) && lost(b) => {
                    (0..self.spec.nodes.len()).any(|c| self.direct[a][c] && self.direct[b][c])
                }
                (false, false) => !self.ended_of(a).is_disjoint(&self.ended_of(b)),
                _ => false,
            }
        };
        let mut cores: Vec<(CoreKind, Set)> = Vec::new();
        for a in self.agents() {
            if !together(a, a) || cores.iter().any(|(_, members)| members.contains(&a)) {
                continue;
            }
            let mut members = Set::from([a]);
            while let Some(b) = self
                .agents()
                .find(|b| !members.contains(b) && members.iter().any(|&m| together(m, *b)))
            {
                members.insert(b);
            }
            let kind = if in_cycle(a) {
                CoreKind::Cycle
            } else {
                CoreKind::Ended
            };
            cores.push((kind, members));
        }
        cores
    }

    /// Does `a` reach a member of `core`?
    pub(super) fn reaches(&self, a: usize, core: &Core) -> bool {
        core.members.iter().any(|m| self.reach[a][m.index()])
    }

    /// Checks all that a core says of itself but its victims; `whole`: its members were not cut to a budget.
    pub(super) fn check(&self, core: &Core, whole: bool) {
        let members = indices(&core.members);
        let all: Set = (0..self.spec.nodes.len())
            .filter(|v| self.stuck.contains(v))
            .filter(|v| members.contains(v) || members.iter().any(|&m| self.reach[m][*v]))
            .collect();
        let closure: Set = all
            .iter()
            .copied()
            .filter(|&v| self.spec.nodes[v].agent)
            .collect();
        assert_eq!(indices(&core.closure), closure, "closure");
        let may = all.iter().any(|&v| {
            matches!(
                self.spec.nodes[v].condition,
                Condition::Wait {
                    strength: Strength::May,
                    ..
                }
            )
        });
        assert_eq!(core.has_may, may, "has_may");
        let ended: Set = members.iter().flat_map(|&m| self.ended_of(m)).collect();
        if whole {
            assert_eq!(indices(&core.ended), ended, "ended");
        } else {
            assert!(indices(&core.ended).is_superset(&ended), "ended");
        }
        match core.kind {
            CoreKind::Ended => assert!(core.cycle.is_empty()),
            CoreKind::Cycle => self.check_cycle(core, &members),
        }
    }

    fn check_cycle(&self, core: &Core, members: &Set) {
        let cycle = &core.cycle;
        assert_eq!(
            cycle.first(),
            core.members.first(),
            "a cycle starts at the smallest member"
        );
        assert_eq!(
            indices(cycle).len(),
            cycle.len(),
            "an agent twice in a cycle"
        );
        assert!(indices(cycle).is_subset(members));
        for (i, a) in cycle.iter().enumerate() {
            let next = cycle[(i + 1) % cycle.len()];
            assert!(
                self.direct[a.index()][next.index()],
                "{a:?} does not wait for {next:?}"
            );
        }
        // Walk all agents at once, step by step, until the first is back.
        let mut at = Set::from([cycle[0].index()]);
        let mut steps = 0;
        loop {
            at = self
                .agents()
                .filter(|&b| at.iter().any(|&a| self.direct[a][b]))
                .collect();
            steps += 1;
            if at.contains(&cycle[0].index()) {
                break;
            }
        }
        assert_eq!(cycle.len(), steps, "a shorter cycle exists");
    }
}

pub(super) fn indices(nodes: &[NodeId]) -> Set {
    assert!(
        nodes
            .iter()
            .all(|n| nodes.iter().filter(|m| m == &n).count() == 1),
        "twice in a list"
    );
    nodes.iter().map(|n| n.index()).collect()
}
