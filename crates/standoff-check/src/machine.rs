//! The abstract machine of MPI: what a job is in, and what it does by itself.
//!
//! Definition, and why its deterministic moves need no branching: `docs/algorithms/check.md`.
//!
//! # Reference
//! MPI 4.1, 3.5 (order of messages), 3.7.4 (progress), 3.8 (probes), 6 (collectives). Vakkalanka, Gopalakrishnan, Kirby: Dynamic
//! Verification of MPI Programs with Reductions in Presence of Split Operations and Relaxed Orderings (CAV 2008), for "all that is
//! deterministic first". **Deviation**: sends may be buffered, and collectives may let members go, one by one.

use std::collections::HashMap;

use standoff_trace::event::SendMode;

use crate::program::{Instance, Kind, NONE, Need, Needs, OpRef, Pattern, Program, Route, Wait};
use crate::result::{Action, Step};

/// A message in a mailbox.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message {
    pub(crate) from: u32,
    pub(crate) op: u32,
    pub(crate) tag: i32,
    /// The matched probe that has taken it; `NONE`: it can be matched.
    pub(crate) held: u32,
}

/// A receive in a mailbox, not matched yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Posted {
    pub(crate) op: u32,
    pub(crate) pattern: Pattern,
}

/// Messages and receives that wait for each other on one communicator at one rank.
#[derive(Clone, Debug, Default)]
pub(crate) struct BoxState {
    /// Of one sender in its order; senders mixed.
    pub(crate) messages: Vec<Message>,
    /// In posting order.
    pub(crate) posted: Vec<Posted>,
}

/// A rank.
#[derive(Clone, Debug)]
pub(crate) struct RankState {
    /// The next operation; all before it are posted.
    pub(crate) pc: u32,
    /// What comes from here on is not known.
    pub(crate) limit: u32,
    /// In a wait for all: those before it in the list are complete.
    pub(crate) wait_at: u32,
    /// Standard sends without a partner that are buffered, collectives left early: complete.
    pub(crate) released: Vec<u32>,
    /// Told by a wait for any whose choice matters.
    pub(crate) told: Vec<u32>,
    /// What the last bound probe was told.
    pub(crate) bound: Option<(u32, i32)>,
}

/// The whole job.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) ranks: Vec<RankState>,
    pub(crate) boxes: Vec<BoxState>,
}

/// A choice that MPI leaves open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// A receive takes a message.
    Match {
        mailbox: u32,
        recv: u32,
        send: OpRef,
    },
    /// The probe that its rank is in sees a message.
    Probe { rank: u32, send: OpRef },
    /// The wait that its rank is in tells these requests.
    Tell { rank: u32, ops: Vec<u32> },
    /// A standard send is buffered, a collective let go, in the wait that its rank is in.
    Release { rank: u32, op: u32 },
}

/// Runs states of one program.
pub(crate) struct Machine<'p> {
    pub(crate) program: &'p Program,
    /// Ranks that may be able to go on.
    queue: Vec<u32>,
    queued: Vec<bool>,
    /// What happens is written down here.
    pub(crate) log: Option<Vec<Step>>,
    /// Every wait for any and every wildcard probe is a choice, not only those whose outcome matters later.
    pub(crate) tell_all: bool,
    /// Operations posted or waited for so far.
    pub(crate) steps: u64,
    /// Members known to have entered, of instances not complete. Only kept for programs without choices, where no state is left for
    /// another.
    entered: HashMap<u32, u32>,
}

impl<'p> Machine<'p> {
    pub(crate) fn new(program: &'p Program) -> Machine<'p> {
        let queued = vec![false; program.ranks.len()];
        Machine {
            program,
            queue: Vec::new(),
            queued,
            log: None,
            tell_all: false,
            steps: 0,
            entered: HashMap::new(),
        }
    }

    /// Before anything has happened.
    pub(crate) fn start(&mut self) -> State {
        let rank = RankState {
            pc: 0,
            limit: NONE,
            wait_at: 0,
            released: vec![],
            told: vec![],
            bound: None,
        };
        for rank in (0..self.program.ranks.len() as u32).rev() {
            self.wake(rank);
        }
        State {
            ranks: vec![rank; self.program.ranks.len()],
            boxes: vec![BoxState::default(); self.program.mailboxes.len()],
        }
    }

    /// Does everything that needs no choice.
    pub(crate) fn run(&mut self, state: &mut State) {
        while let Some(rank) = self.queue.pop() {
            self.queued[rank as usize] = false;
            self.advance(state, rank);
        }
    }

    pub(crate) fn apply(&mut self, state: &mut State, choice: &Move) {
        match choice {
            Move::Match {
                mailbox,
                recv,
                send,
            } => {
                self.take(state, *mailbox, *recv, *send);
                self.settle(state, *mailbox);
            }
            Move::Probe { rank, send } => self.see(state, *rank, *send),
            Move::Tell { rank, ops } => {
                let content = &mut state.ranks[*rank as usize];
                content.told.extend(ops);
                content.told.sort_unstable();
                for &told in ops {
                    let request = self.record(*rank, told);
                    self.note(*rank, content.pc, Action::Told { request });
                }
                self.next(&mut state.ranks[*rank as usize]);
                self.wake(*rank);
            }
            Move::Release { rank, op } => {
                let list = &mut state.ranks[*rank as usize].released;
                list.push(*op);
                list.sort_unstable();
                let action = match self.kind(*rank, *op) {
                    Kind::Send { .. } | Kind::Deliver { .. } => Action::Buffered,
                    _ => Action::LeftEarly,
                };
                self.note(*rank, *op, action);
                self.wake(*rank);
            }
        }
    }

    pub(crate) fn kind(&self, rank: u32, op: u32) -> &'p Kind {
        &self.program.ranks[rank as usize].ops[op as usize].kind
    }

    pub(crate) fn record(&self, rank: u32, op: u32) -> u32 {
        self.program.ranks[rank as usize].ops[op as usize].record
    }

    fn note(&mut self, rank: u32, op: u32, action: Action) {
        if let Some(log) = &mut self.log {
            let event = self.program.ranks[rank as usize].ops[op as usize].record;
            log.push(Step {
                rank,
                event,
                action,
            });
        }
    }

    pub(crate) fn wake(&mut self, rank: u32) {
        if !std::mem::replace(&mut self.queued[rank as usize], true) {
            self.queue.push(rank);
        }
    }

    fn next(&self, rank: &mut RankState) {
        rank.pc += 1;
        rank.wait_at = 0;
    }

    /// A rank goes on until it blocks.
    fn advance(&mut self, state: &mut State, me: u32) {
        let program = self.program;
        loop {
            let pc = state.ranks[me as usize].pc;
            let Some(op) = program.ranks[me as usize].ops.get(pc as usize) else {
                return;
            };
            if pc >= state.ranks[me as usize].limit {
                return;
            }
            self.steps += 1;
            match &op.kind {
                Kind::Send { to, tag, route, .. } => {
                    self.note(me, pc, Action::Begins);
                    state.ranks[me as usize].pc += 1;
                    match *route {
                        Route::Mailbox(mailbox) => {
                            let message = Message {
                                from: me,
                                op: pc,
                                tag: *tag,
                                held: NONE,
                            };
                            state.boxes[mailbox as usize].messages.push(message);
                            self.settle(state, mailbox);
                            self.wake(*to);
                        }
                        Route::Fixed(partner) => {
                            if let Some(partner) = partner.filter(|p| posted(state, *p)) {
                                self.matched(partner, OpRef { rank: me, op: pc });
                            }
                            self.wake(*to);
                        }
                    }
                }
                Kind::Recv(receive) => {
                    self.note(me, pc, Action::Begins);
                    let rank = &mut state.ranks[me as usize];
                    rank.pc += 1;
                    match receive.route {
                        Route::Mailbox(mailbox) => {
                            let pattern = match rank.bound.take_if(|_| receive.bound) {
                                Some((from, tag)) => Pattern {
                                    from: Some(from),
                                    tag: receive.pattern.tag.map(|_| tag),
                                },
                                None => receive.pattern,
                            };
                            state.boxes[mailbox as usize]
                                .posted
                                .push(Posted { op: pc, pattern });
                            self.settle(state, mailbox);
                        }
                        Route::Fixed(partner) => {
                            if let Some(partner) = partner.filter(|p| posted(state, *p)) {
                                self.matched(OpRef { rank: me, op: pc }, partner);
                                self.wake(partner.rank);
                            }
                        }
                    }
                }
                Kind::Probe { receive, .. } => {
                    let seen = match receive.route {
                        Route::Fixed(partner) => partner.filter(|p| posted(state, *p)),
                        Route::Mailbox(_) if self.chooses(me, pc) => None,
                        Route::Mailbox(mailbox) => self
                            .candidates(state, mailbox, receive.pattern, usize::MAX)
                            .first()
                            .copied(),
                    };
                    let Some(send) = seen else { return };
                    self.see(state, me, send);
                }
                Kind::Mrecv { probe } => {
                    state.ranks[me as usize].pc += 1;
                    if let Kind::Probe { receive, .. } = self.kind(me, *probe)
                        && let Route::Mailbox(mailbox) = receive.route
                    {
                        let messages = &mut state.boxes[mailbox as usize].messages;
                        if let Some(at) = messages.iter().position(|m| m.held == *probe) {
                            let message = messages.remove(at);
                            self.matched(
                                OpRef { rank: me, op: pc },
                                OpRef {
                                    rank: message.from,
                                    op: message.op,
                                },
                            );
                            self.wake(message.from);
                        }
                    }
                }
                Kind::Enter { instance } => {
                    self.note(me, pc, Action::Begins);
                    state.ranks[me as usize].pc += 1;
                    if *instance != NONE {
                        self.enter(state, *instance);
                    }
                }
                Kind::Deliver { .. } => state.ranks[me as usize].pc += 1,
                Kind::Wait(wait) => {
                    if !self.satisfied(state, me, wait) {
                        return;
                    }
                    let rank = &mut state.ranks[me as usize];
                    if wait.need == Need::All && !(rank.released.is_empty() && rank.told.is_empty())
                    {
                        let list = program.list(me as usize, wait);
                        rank.released.retain(|op| !list.contains(op));
                    }
                    self.next(&mut state.ranks[me as usize]);
                }
                Kind::Stop => return,
            }
        }
    }

    fn enter(&mut self, state: &State, instance: u32) {
        let content = &self.program.instances[instance as usize];
        if content.mismatch {
            return;
        }
        // Members are looked at in turn, from the first that was not there the last time.
        let from = self.entered.get(&instance).copied().unwrap_or(0) as usize;
        let missing = content.members[from..]
            .iter()
            .position(|m| !entered(state, m.rank, m.op));
        match missing {
            Some(_) if self.program.nondeterministic => {}
            Some(at) => {
                self.entered.insert(instance, (from + at) as u32);
            }
            None => {
                self.entered.remove(&instance);
                for member in &content.members {
                    self.wake(member.rank);
                }
            }
        }
    }

    pub(crate) fn tells(&self, wait: &Wait) -> bool {
        wait.need != Need::All && (wait.tells || self.tell_all)
    }

    fn satisfied(&self, state: &mut State, me: u32, wait: &Wait) -> bool {
        let list = self.program.list(me as usize, wait);
        if wait.need == Need::All {
            let at = state.ranks[me as usize].wait_at as usize;
            let done = list[at..]
                .iter()
                .take_while(|&&op| self.complete(state, me, op))
                .count();
            state.ranks[me as usize].wait_at = (at + done) as u32;
            return at + done == list.len();
        }
        let told = &state.ranks[me as usize].told;
        let mut active = list
            .iter()
            .filter(|op| told.binary_search(op).is_err())
            .peekable();
        active.peek().is_none()
            || (!self.tells(wait) && active.any(|&op| self.complete(state, me, op)))
    }

    /// Whether an operation that was posted is complete (or inactive).
    pub(crate) fn complete(&self, state: &State, rank: u32, op: u32) -> bool {
        let content = &state.ranks[rank as usize];
        let released = || {
            content.released.binary_search(&op).is_ok() || content.told.binary_search(&op).is_ok()
        };
        match self.kind(rank, op) {
            Kind::Send {
                mode: SendMode::Buffered,
                ..
            }
            | Kind::Mrecv { .. } => true,
            Kind::Send { .. } => self.received(state, rank, op) || released(),
            Kind::Deliver { send } => self.received(state, rank, *send) || released(),
            Kind::Recv(receive) => match receive.route {
                Route::Fixed(partner) => partner.is_some_and(|p| posted(state, p)),
                Route::Mailbox(mailbox) => !state.boxes[mailbox as usize]
                    .posted
                    .iter()
                    .any(|p| p.op == op),
            },
            Kind::Enter { instance } => {
                *instance != NONE && all_entered(state, &self.program.instances[*instance as usize])
                    || released()
            }
            Kind::Probe { .. } | Kind::Wait(_) | Kind::Stop => true,
        }
    }

    /// Whether a message that was sent has its receive.
    fn received(&self, state: &State, rank: u32, send: u32) -> bool {
        match self.kind(rank, send) {
            Kind::Send {
                route: Route::Mailbox(mailbox),
                ..
            } => {
                let messages = &state.boxes[*mailbox as usize].messages;
                !messages.iter().any(|m| (m.from, m.op) == (rank, send))
            }
            Kind::Send {
                route: Route::Fixed(partner),
                ..
            } => partner.is_some_and(|p| posted(state, p)),
            _ => true,
        }
    }

    /// Whether a send or collective that is not complete may be let go without its partners.
    pub(crate) fn releasable(&self, state: &State, rank: u32, op: u32) -> bool {
        match self.kind(rank, op) {
            Kind::Send { mode, .. } => matches!(mode, SendMode::Standard | SendMode::Ready),
            Kind::Deliver { .. } => true,
            Kind::Enter { instance } if *instance != NONE => {
                let instance = &self.program.instances[*instance as usize];
                let me = instance
                    .members
                    .iter()
                    .find(|m| m.rank == rank && m.op == op);
                !instance.mismatch
                    && me.is_some_and(|me| match &me.needs {
                        Needs::All => false,
                        Needs::Nobody => true,
                        Needs::Members(list) => list.iter().all(|&place| {
                            instance
                                .members
                                .get(place as usize)
                                .is_some_and(|m| entered(state, m.rank, m.op))
                        }),
                    })
            }
            _ => false,
        }
    }

    /// Whether a probe's outcome is a choice that matters.
    pub(crate) fn chooses(&self, rank: u32, op: u32) -> bool {
        let Kind::Probe { receive, takes, .. } = self.kind(rank, op) else {
            return false;
        };
        receive.pattern.from.is_none()
            && (*takes || receive.follows != NONE || self.tell_all || self.binds(rank, op))
    }

    /// Whether the operation after a probe receives what the probe was told.
    fn binds(&self, rank: u32, op: u32) -> bool {
        let next = self.program.ranks[rank as usize].ops.get(op as usize + 1);
        matches!(next.map(|op| &op.kind), Some(Kind::Recv(r)) if r.bound)
    }

    /// Messages that a receive at place `at` of the posted ones (`usize::MAX`: after all of them) may be matched with now.
    pub(crate) fn candidates(
        &self,
        state: &State,
        mailbox: u32,
        pattern: Pattern,
        at: usize,
    ) -> Vec<OpRef> {
        let content = &state.boxes[mailbox as usize];
        let before = &content.posted[..at.min(content.posted.len())];
        let (mut seen, mut found) = (Vec::new(), Vec::new());
        for m in &content.messages {
            if m.held == NONE && pattern.accepts(m.from, m.tag) && !seen.contains(&m.from) {
                seen.push(m.from);
                if !before.iter().any(|p| p.pattern.accepts(m.from, m.tag)) {
                    found.push(OpRef {
                        rank: m.from,
                        op: m.op,
                    });
                }
            }
        }
        found
    }

    /// Matches all receives that name their source: they have no choice.
    fn settle(&mut self, state: &mut State, mailbox: u32) {
        let mut at = 0;
        while let Some(&posted) = state.boxes[mailbox as usize].posted.get(at) {
            let send = posted.pattern.from.and_then(|_| {
                self.candidates(state, mailbox, posted.pattern, at)
                    .first()
                    .copied()
            });
            match send {
                Some(send) => {
                    self.take(state, mailbox, posted.op, send);
                    at = 0;
                }
                None => at += 1,
            }
        }
    }

    fn take(&mut self, state: &mut State, mailbox: u32, recv: u32, send: OpRef) {
        let owner = self.program.mailboxes[mailbox as usize].owner;
        let content = &mut state.boxes[mailbox as usize];
        content
            .messages
            .retain(|m| (m.from, m.op) != (send.rank, send.op));
        content.posted.retain(|p| p.op != recv);
        if let Kind::Recv(receive) = self.kind(owner, recv)
            && receive.told.is_some_and(|(source, _)| source != send.rank)
        {
            let limit = &mut state.ranks[owner as usize].limit;
            *limit = (*limit).min(receive.follows);
        }
        self.matched(
            OpRef {
                rank: owner,
                op: recv,
            },
            send,
        );
        self.wake(owner);
        self.wake(send.rank);
    }

    fn matched(&mut self, recv: OpRef, send: OpRef) {
        if self.log.is_some() {
            let action = Action::Receives {
                from: send.rank,
                send: self.record(send.rank, send.op),
            };
            self.note(recv.rank, recv.op, action);
        }
    }

    /// The probe that a rank is in is told of a message.
    fn see(&mut self, state: &mut State, me: u32, send: OpRef) {
        let pc = state.ranks[me as usize].pc;
        let Kind::Probe { receive, takes, .. } = self.kind(me, pc) else {
            return;
        };
        let rank = &mut state.ranks[me as usize];
        if let Kind::Send { tag, .. } = self.program.op(send)
            && self.binds(me, pc)
        {
            rank.bound = Some((send.rank, *tag));
        }
        if receive.told.is_some_and(|(source, _)| source != send.rank) {
            rank.limit = rank.limit.min(receive.follows);
        }
        if let (true, Route::Mailbox(mailbox)) = (*takes, receive.route) {
            let messages = &mut state.boxes[mailbox as usize].messages;
            if let Some(m) = messages
                .iter_mut()
                .find(|m| (m.from, m.op) == (send.rank, send.op))
            {
                m.held = pc;
            }
        }
        let action = Action::Sees {
            from: send.rank,
            send: self.record(send.rank, send.op),
        };
        self.note(me, pc, action);
        self.next(&mut state.ranks[me as usize]);
        self.wake(me);
    }
}

pub(crate) fn posted(state: &State, at: OpRef) -> bool {
    at.op < state.ranks[at.rank as usize].pc
}

pub(crate) fn entered(state: &State, rank: u32, op: u32) -> bool {
    op != NONE && op < state.ranks[rank as usize].pc
}

pub(crate) fn all_entered(state: &State, instance: &Instance) -> bool {
    !instance.mismatch
        && instance
            .members
            .iter()
            .all(|m| entered(state, m.rank, m.op))
}
