//! Victims: who waits behind which core.
//!
//! # Definition
//! A victim of a core is a stuck agent that is in no core and reaches a member of it.
//!
//! # Reference
//! Reachability on the condensation, in one pass over the parts in reverse topological order (Tarjan 1972): what a part
//! reaches is what its successors reach.
//!
//! # Deviations
//! v victims that reach c cores each would be v × c entries. A node therefore passes on at most [`MOST`] cores: its own
//! first, then those of its targets, in the order listed. Every victim has at least one core, and all of them when
//! no node on its ways reaches more than that many.

use crate::graph::{Graph, NodeId};
use crate::scc::{NONE, Parts};

/// How many cores a stuck agent can be a victim of.
pub(crate) const MOST: usize = 8;

/// Small sets of cores, each stored once for all the parts that inherit it unchanged.
struct Sets {
    /// Where set `i` lies in `items`. Set 0 is empty.
    spans: Vec<(u32, u32)>,
    items: Vec<u32>,
}

impl Sets {
    fn get(&self, set: u32) -> &[u32] {
        let (start, len) = self.spans[set as usize];
        &self.items[start as usize..(start + len) as usize]
    }

    fn add(&mut self, items: &[u32]) -> u32 {
        self.spans
            .push((self.items.len() as u32, items.len() as u32));
        self.items.extend_from_slice(items);
        (self.spans.len() - 1) as u32
    }
}

/// Calls `found(core, agent)` for each of `agents`, in their order, and each core that it is taken to be a victim of.
/// `core_of` tells the core of each member, and [`NONE`] for all other nodes.
pub(crate) fn victims(
    graph: &Graph,
    parts: &Parts,
    core_of: &[u32],
    agents: impl Iterator<Item = NodeId>,
    mut found: impl FnMut(usize, NodeId),
) {
    let mut agents = agents.filter(|v| core_of[v.index()] == NONE).peekable();
    if agents.peek().is_none() {
        return;
    }
    let mut sets = Sets {
        spans: vec![(0, 0)],
        items: Vec::new(),
    };
    let mut reached = vec![0_u32; parts.len()];
    let mut set = Vec::with_capacity(MOST);
    for p in 0..parts.len() {
        set.clear();
        // All members in one part are in one core: either a cycle, or a part of one agent.
        if let Some(own) = parts
            .nodes(p)
            .iter()
            .map(|v| core_of[v.index()])
            .find(|&c| c != NONE)
        {
            set.push(own);
        }
        // The set last taken in: neighbours mostly reach the same.
        let mut last = 0;
        let sources = if parts.exits(p) { parts.nodes(p) } else { &[] };
        'targets: for &v in sources {
            for &t in graph.targets(v) {
                let Some(q) = parts.of(t) else { continue };
                let other = reached[q];
                if other == last {
                    continue;
                }
                last = other;
                for &core in sets.get(other) {
                    if set.len() == MOST {
                        break 'targets;
                    }
                    if !set.contains(&core) {
                        set.push(core);
                    }
                }
            }
        }
        reached[p] = if sets.get(last) == set {
            last
        } else {
            sets.add(&set)
        };
    }
    for agent in agents {
        if let Some(p) = parts.of(agent) {
            for &core in sets.get(reached[p]) {
                found(core as usize, agent);
            }
        }
    }
}
