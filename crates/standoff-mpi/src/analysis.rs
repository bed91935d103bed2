//! The analysis: from a picture to findings.
//!
//! # Definition
//! `docs/algorithms/picture.md`, `matching.md` and `collectives.md`: which agents are stuck. The cores of what is stuck
//! are those of `standoff-core`.

use std::collections::HashMap;

use standoff_core::{Assume, Core, Reduction, cores, reduce};

use crate::agents::Agent;
use crate::describe::Describer;
use crate::index::Index;
use crate::picture::Picture;
use crate::plan::Plan;
use crate::reason::Finding;
use crate::wiring::{Net, Purpose};

/// What is stuck in a picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Analysis {
    /// Cores of agents that no continuation can release, whatever the MPI library does.
    pub strict: Vec<Finding>,
    /// Cores that have members or victims which only the MPI library can release, by letting a call go that it may also
    /// hold. They are deadlocks if nobody in [`Finding::closure`] moves for a while in which each has processor time.
    /// One may repeat members of a strict core, with more agents around it; so look at `strict` first.
    pub lenient: Vec<Finding>,
}

impl Analysis {
    /// Whether nothing is stuck.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.strict.is_empty() && self.lenient.is_empty()
    }
}

/// Finds what is stuck in a picture. See the crate's introduction for what is promised.
///
/// Deterministic, and about linear in the size of the picture.
#[must_use]
pub fn analyse(picture: &Picture) -> Analysis {
    let index = Index::new(picture);
    let plan = Plan::new(picture, &index);
    let release = Net::new(&plan, &index, Purpose::Release);
    let finder = Finder {
        index: &index,
        plan: &plan,
        release: &release,
    };
    let blocking = reduce(&release.graph, Assume::MayWaitsBlock);
    if blocking.stuck_agents().len() == 0 {
        return Analysis::default();
    }
    let passing = reduce(&release.graph, Assume::MayWaitsPass);
    let strict = finder.findings(&passing, |_| true);
    let lenient = if passing.stuck_agents().len() == blocking.stuck_agents().len() {
        Vec::new()
    } else {
        finder.findings(&blocking, |core| {
            let agents = core.members.iter().chain(&core.victims);
            agents.copied().any(|agent| !passing.is_stuck(agent))
        })
    };
    Analysis { strict, lenient }
}

/// How much work all closures together may be, in looks for each node and edge; then a closure is everything that is stuck.
const LOOKS: usize = 64;

/// What findings are made from.
pub(crate) struct Finder<'p, 'a> {
    pub(crate) index: &'p Index<'a>,
    pub(crate) plan: &'p Plan<'a>,
    pub(crate) release: &'p Net,
}

impl Finder<'_, '_> {
    /// The findings of one reduction of the release graph.
    fn findings(&self, reduction: &Reduction, wanted: impl Fn(&Core) -> bool) -> Vec<Finding> {
        if reduction.stuck_agents().len() == 0 {
            return Vec::new();
        }
        let blame = Net::new(self.plan, self.index, Purpose::Blame(reduction));
        let blamed = reduce(&blame.graph, reduction.assume());
        debug_assert!(blamed.stuck_agents().eq(reduction.stuck_agents()));
        let cores = cores(&blame.graph, &blamed);
        let graph = &self.release.graph;
        let mut describer = Describer {
            finder: self,
            reduction,
            targets: HashMap::new(),
        };
        let mut budget = LOOKS * (graph.len() + graph.edges());
        cores
            .iter()
            .filter(|core| wanted(core))
            .map(|core| {
                let closure = self.closure(reduction, core, &mut budget);
                describer.finding(core, closure)
            })
            .collect()
    }

    /// All agents that the core's verdict rests on.
    fn closure(&self, reduction: &Reduction, core: &Core, budget: &mut usize) -> Vec<Agent> {
        let graph = &self.release.graph;
        let mut seen = vec![false; graph.len()];
        let mut work = core.members.clone();
        for node in &work {
            seen[node.index()] = true;
        }
        let mut agents = Vec::new();
        while let Some(node) = work.pop() {
            agents.extend(self.release.thread(node));
            let targets = graph.targets(node);
            *budget = budget.saturating_sub(1 + targets.len());
            for &target in targets {
                if reduction.is_stuck(target) && !std::mem::replace(&mut seen[target.index()], true)
                {
                    work.push(target);
                }
            }
            if *budget == 0 {
                agents = reduction
                    .stuck_agents()
                    .filter_map(|n| self.release.thread(n))
                    .collect();
                break;
            }
        }
        agents.sort_unstable();
        agents
    }
}
