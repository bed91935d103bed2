//! Who is stuck in a state in which nothing happens without a choice.
//!
//! Definition: a blocked rank can be released if enough of the operations that it waits for can complete, and an operation can
//! complete if a rank that could bring that about is free or can be released; least fixed point. The others are stuck. A rank is free if
//! what it does next is not known: past the end of its record, past a procedure that is not modelled, past an outcome
//! that it follows, or asking instead of waiting.
//!
//! What is never reported falsely: with nobody buffering and all collectives synchronizing from here on, no stuck rank goes on. The fixed point is
//! that of `standoff-core` (`docs/algorithms/reduction.md`), which also finds the core.

use standoff_core::{Assume, Graph, Need as CoreNeed, NodeId, Strength, cores, reduce};

use crate::machine::{Machine, State, entered};
use crate::program::{Kind, NONE, Need, Route};
use crate::result::Stuck;

/// What a rank is in, where nothing happens by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// It has made all its calls.
    Ended,
    /// It may do anything.
    Free,
    /// In a wait or probe.
    Blocked,
}

impl Machine<'_> {
    pub(crate) fn status(&self, state: &State, rank: u32) -> Status {
        let content = &state.ranks[rank as usize];
        if content.pc >= content.limit {
            return Status::Free;
        }
        match self.program.ranks[rank as usize]
            .ops
            .get(content.pc as usize)
            .map(|op| &op.kind)
        {
            None => Status::Ended,
            Some(Kind::Stop) => Status::Free,
            _ => Status::Blocked,
        }
    }

    fn polls(&self, state: &State, rank: u32) -> bool {
        match self.kind(rank, state.ranks[rank as usize].pc) {
            Kind::Wait(wait) => wait.poll,
            Kind::Probe { poll, .. } => *poll,
            _ => false,
        }
    }

    /// The operations a blocked rank waits for that are not complete, and whether one is enough. A probe is its own operation.
    pub(crate) fn waits(&self, state: &State, rank: u32) -> (Vec<u32>, bool) {
        let content = &state.ranks[rank as usize];
        match self.kind(rank, content.pc) {
            Kind::Wait(wait) => {
                let list = self.program.list(rank as usize, wait).iter().copied();
                let open = list.filter(|&op| !self.complete(state, rank, op)).collect();
                (open, wait.need != Need::All)
            }
            _ => (vec![content.pc], false),
        }
    }

    /// Ranks one of which (`true`), or all of which, must act before an operation can complete.
    fn partners(&self, state: &State, rank: u32, op: u32) -> (Vec<u32>, bool) {
        match self.kind(rank, op) {
            Kind::Send { to, .. } => (vec![*to], true),
            Kind::Deliver { send } => self.partners(state, rank, *send),
            Kind::Recv(receive) | Kind::Probe { receive, .. } => {
                let mut pattern = receive.pattern;
                if let Route::Mailbox(mailbox) = receive.route {
                    let posted = &state.boxes[mailbox as usize].posted;
                    pattern = posted
                        .iter()
                        .find(|p| p.op == op)
                        .map_or(pattern, |p| p.pattern);
                }
                match pattern.from {
                    Some(from) => (vec![from], true),
                    None => {
                        let members = &self.program.comms[receive.comm as usize];
                        (
                            members.iter().copied().filter(|&m| m != rank).collect(),
                            true,
                        )
                    }
                }
            }
            Kind::Enter { instance } if *instance != NONE => {
                let instance = &self.program.instances[*instance as usize];
                let missing = instance
                    .members
                    .iter()
                    .filter(|m| !entered(state, m.rank, m.op));
                let mut missing: Vec<u32> = missing.map(|m| m.rank).collect();
                if missing.is_empty() {
                    // The members called different things.
                    missing = instance
                        .members
                        .iter()
                        .map(|m| m.rank)
                        .filter(|&m| m != rank)
                        .collect();
                }
                (missing, false)
            }
            _ => (Vec::new(), true),
        }
    }

    /// Whether anybody is stuck.
    pub(crate) fn anybody_stuck(&self, state: &State) -> bool {
        let count = state.ranks.len() as u32;
        let blocked = (0..count).any(|r| self.status(state, r) == Status::Blocked);
        let free = |r| match self.status(state, r) {
            Status::Free => true,
            Status::Blocked => self.polls(state, r),
            Status::Ended => false,
        };
        if !blocked || !(0..count).any(free) {
            return blocked;
        }
        let (graph, agents) = self.graph(state);
        let reduction = reduce(&graph, Assume::MayWaitsPass);
        agents.iter().any(|&agent| reduction.is_stuck(agent))
    }

    fn graph(&self, state: &State) -> (Graph, Vec<NodeId>) {
        let mut graph = Graph::new();
        let agents: Vec<NodeId> = state.ranks.iter().map(|_| graph.add_agent()).collect();
        for (rank, &agent) in agents.iter().enumerate() {
            match self.status(state, rank as u32) {
                Status::Ended => graph.set_ended(agent),
                Status::Free => graph.set_free(agent),
                Status::Blocked if self.polls(state, rank as u32) => graph.set_free(agent),
                Status::Blocked => {
                    let (ops, any) = self.waits(state, rank as u32);
                    let mut nodes = Vec::with_capacity(ops.len());
                    for op in ops {
                        let (partners, one) = self.partners(state, rank as u32, op);
                        let targets: Vec<NodeId> =
                            partners.iter().map(|&p| agents[p as usize]).collect();
                        let node = graph.add_condition();
                        let need = if one { CoreNeed::Any } else { CoreNeed::All };
                        graph.set_wait(node, need, Strength::Must, &targets);
                        nodes.push(node);
                    }
                    let need = if any { CoreNeed::Any } else { CoreNeed::All };
                    graph.set_wait(agent, need, Strength::Must, &nodes);
                }
            }
        }
        (graph, agents)
    }

    /// All who are stuck, by rank, and one core.
    pub(crate) fn stuck(&self, state: &State) -> (Vec<Stuck>, Vec<u32>) {
        let (graph, agents) = self.graph(state);
        let reduction = reduce(&graph, Assume::MayWaitsPass);
        let mut stuck = Vec::new();
        for (rank, &agent) in agents.iter().enumerate() {
            if !reduction.is_stuck(agent) || self.status(state, rank as u32) != Status::Blocked {
                continue;
            }
            let rank = rank as u32;
            let (ops, any) = self.waits(state, rank);
            let mut waits_for: Vec<u32> = ops
                .iter()
                .flat_map(|&op| self.partners(state, rank, op).0)
                .collect();
            waits_for.sort_unstable();
            waits_for.dedup();
            stuck.push(Stuck {
                rank,
                event: self.record(rank, state.ranks[rank as usize].pc),
                operations: ops.iter().map(|&op| self.record(rank, op)).collect(),
                any,
                waits_for,
            });
        }
        let found = cores(&graph, &reduction);
        let rank_of = |node: &NodeId| agents.iter().position(|a| a == node).map(|r| r as u32);
        let core = found.first().map_or_else(Vec::new, |core| {
            let mut ranks: Vec<u32> = core
                .members
                .iter()
                .chain(&core.ended)
                .filter_map(rank_of)
                .collect();
            ranks.sort_unstable();
            ranks
        });
        (stuck, core)
    }
}
