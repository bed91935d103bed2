//! Which choices have to be tried in a state: a persistent set.
//!
//! # Reference
//! Godefroid, Partial-Order Methods for the Verification of Concurrent Systems (1996), chapter 4: a set of moves is persistent if
//! nothing that happens without them interferes with them; exploring such a set in each state finds every state in which nothing
//! can happen any more. Vakkalanka et al. (CAV 2008) use, for MPI, all matches of one wildcard receive when nothing else can
//! happen. **Deviation**: that is enough only if no other sender can come into the choice, so who can is computed here.
//! The argument is in `docs/algorithms/check.md`.

use crate::machine::{Machine, Move, State, entered};
use crate::program::{Kind, NONE, Need, OpRef, Pattern, Route};
use crate::stuck::Status;

/// A choice that is open in a state, and what may be chosen now.
struct Choice {
    rank: u32,
    what: What,
    now: Vec<Move>,
}

enum What {
    /// A receive that was posted, or the probe that its rank is in.
    Message {
        op: u32,
        mailbox: u32,
        pattern: Pattern,
    },
    Told,
}

/// More complete requests than this are not told in every combination.
pub(crate) const SUBSETS: usize = 6;

impl Machine<'_> {
    /// The moves to try. Empty: nothing happens any more unless a send or collective is let go.
    pub(crate) fn choices(&self, state: &State) -> Vec<Move> {
        let mut open = Vec::new();
        for rank in 0..state.ranks.len() as u32 {
            self.choice_of_wait(state, rank, &mut open);
        }
        for mailbox in 0..state.boxes.len() as u32 {
            self.choices_of_mailbox(state, mailbox, &mut open);
        }
        let mut best: Option<Vec<Move>> = None;
        for choice in &open {
            let mut all = choice.now.clone();
            self.interference(state, choice, &open, &mut all);
            if all.len() == choice.now.len() {
                return all;
            }
            if best.as_ref().is_none_or(|best| all.len() < best.len()) {
                best = Some(all);
            }
        }
        best.unwrap_or_default()
    }

    /// All sends and collectives that may be let go.
    pub(crate) fn all_releases(&self, state: &State) -> Vec<Move> {
        let mut all = Vec::new();
        for rank in 0..state.ranks.len() as u32 {
            self.releases(state, rank, &mut all);
        }
        all
    }

    fn choice_of_wait(&self, state: &State, rank: u32, open: &mut Vec<Choice>) {
        if self.status(state, rank) != Status::Blocked {
            return;
        }
        let content = &state.ranks[rank as usize];
        match self.kind(rank, content.pc) {
            Kind::Wait(wait) if self.tells(wait) => {
                let list = self.program.list(rank as usize, wait).iter().copied();
                let complete: Vec<u32> = list
                    .filter(|op| {
                        content.told.binary_search(op).is_err() && self.complete(state, rank, *op)
                    })
                    .collect();
                let now = told(rank, &complete, wait.need);
                if !now.is_empty() {
                    open.push(Choice {
                        rank,
                        what: What::Told,
                        now,
                    });
                }
            }
            Kind::Probe { receive, .. } if self.chooses(rank, content.pc) => {
                let Route::Mailbox(mailbox) = receive.route else {
                    return;
                };
                let found = self.candidates(state, mailbox, receive.pattern, usize::MAX);
                let mut now: Vec<Move> = found
                    .into_iter()
                    .map(|send| Move::Probe { rank, send })
                    .collect();
                self.recorded_first(&mut now, receive.told);
                if !now.is_empty() {
                    let what = What::Message {
                        op: content.pc,
                        mailbox,
                        pattern: receive.pattern,
                    };
                    open.push(Choice { rank, what, now });
                }
            }
            _ => {}
        }
    }

    fn choices_of_mailbox(&self, state: &State, mailbox: u32, open: &mut Vec<Choice>) {
        let owner = self.program.mailboxes[mailbox as usize].owner;
        for (at, posted) in state.boxes[mailbox as usize].posted.iter().enumerate() {
            if posted.pattern.from.is_some() {
                continue;
            }
            let found = self.candidates(state, mailbox, posted.pattern, at);
            let one = |send| Move::Match {
                mailbox,
                recv: posted.op,
                send,
            };
            let mut now: Vec<Move> = found.into_iter().map(one).collect();
            if let Kind::Recv(receive) = self.kind(owner, posted.op) {
                self.recorded_first(&mut now, receive.told);
            }
            if !now.is_empty() {
                let what = What::Message {
                    op: posted.op,
                    mailbox,
                    pattern: posted.pattern,
                };
                open.push(Choice {
                    rank: owner,
                    what,
                    now,
                });
            }
        }
    }

    /// So that what is found first needs the fewest other outcomes.
    fn recorded_first(&self, now: &mut [Move], told: Option<(u32, i32)>) {
        now.sort_by_key(|m| match m {
            Move::Match { send, .. } | Move::Probe { send, .. } => (
                told.is_none_or(|(source, _)| source != send.rank),
                send.rank,
            ),
            _ => (false, 0),
        });
    }

    /// Sends and collectives that may be let go in the wait that a rank is in.
    fn releases(&self, state: &State, rank: u32, into: &mut Vec<Move>) {
        if self.status(state, rank) != Status::Blocked {
            return;
        }
        for op in self.waits(state, rank).0 {
            if self.releasable(state, rank, op) {
                add(into, &Move::Release { rank, op });
            }
        }
    }

    /// Adds the moves that may lead to something that interferes with a choice.
    fn interference(&self, state: &State, choice: &Choice, open: &[Choice], into: &mut Vec<Move>) {
        let count = state.ranks.len();
        let What::Message {
            op,
            mailbox,
            pattern,
        } = choice.what
        else {
            // Another request may complete before this is told.
            let (rest, _) = self.waits(state, choice.rank);
            if !rest.is_empty() {
                open.iter().flat_map(|c| &c.now).for_each(|m| add(into, m));
                (0..count as u32).for_each(|rank| self.releases(state, rank, into));
            }
            return;
        };
        // Until this choice is made its rank stays where it is, if it waits for it.
        let held = self.status(state, choice.rank) == Status::Blocked && {
            let (ops, any) = self.waits(state, choice.rank);
            !any && ops.contains(&op)
        };
        let mut influence = Influence {
            seen: vec![false; count],
            work: Vec::new(),
        };
        let has = |from: u32| {
            choice.now.iter().any(|m| match m {
                Move::Match { send, .. } | Move::Probe { send, .. } => send.rank == from,
                _ => false,
            })
        };
        // A message that is there, but for an earlier receive: that one may take another and leave it.
        let messages = &state.boxes[mailbox as usize].messages;
        let kept = |from: u32| {
            messages
                .iter()
                .any(|m| m.from == from && m.held == NONE && pattern.accepts(from, m.tag))
        };
        let senders = &self.program.mailboxes[mailbox as usize].senders;
        let reserved = senders.iter().any(|(from, _)| !has(*from) && kept(*from));
        if reserved {
            open.iter()
                .filter(|c| c.rank == choice.rank)
                .flat_map(|c| &c.now)
                .for_each(|m| add(into, m));
        }
        for (from, _) in senders {
            if reserved || (!has(*from) && self.may_send(state, mailbox, *from, pattern)) {
                influence.add(*from);
            }
        }
        while let Some(rank) = influence.work.pop() {
            // What its receives are matched with lets senders go on, even while it stays itself.
            let others = open.iter().filter(|c| c.rank == rank);
            others.flat_map(|c| &c.now).for_each(|m| add(into, m));
            if (rank == choice.rank && held) || self.status(state, rank) != Status::Blocked {
                continue;
            }
            let (ops, any) = self.waits(state, rank);
            let never = |&op: &u32| matches!(self.kind(rank, op), Kind::Recv(r) if r.route == Route::Fixed(None));
            if !any && ops.iter().any(never) {
                continue;
            }
            for op in ops {
                self.enablers(state, rank, op, &mut influence, into);
            }
        }
    }

    fn may_send(&self, state: &State, mailbox: u32, from: u32, pattern: Pattern) -> bool {
        let content = &state.ranks[from as usize];
        let mailbox = &self.program.mailboxes[mailbox as usize];
        content.pc < content.limit && mailbox.may_send(from, content.pc, pattern)
    }

    /// What may let an operation complete: moves of its own rank, and other ranks' going on.
    fn enablers(
        &self,
        state: &State,
        rank: u32,
        op: u32,
        influence: &mut Influence,
        into: &mut Vec<Move>,
    ) {
        match self.kind(rank, op) {
            _ if self.releasable(state, rank, op) => add(into, &Move::Release { rank, op }),
            Kind::Send {
                route: Route::Fixed(partner),
                ..
            } => {
                partner.iter().for_each(|p| influence.add(p.rank));
            }
            Kind::Send { to, .. } => influence.add(*to),
            Kind::Recv(receive) | Kind::Probe { receive, .. } => match receive.route {
                Route::Fixed(partner) => partner.iter().for_each(|p: &OpRef| influence.add(p.rank)),
                Route::Mailbox(mailbox) => {
                    let posted = &state.boxes[mailbox as usize].posted;
                    let pattern = posted
                        .iter()
                        .find(|p| p.op == op)
                        .map_or(receive.pattern, |p| p.pattern);
                    for (from, _) in &self.program.mailboxes[mailbox as usize].senders {
                        if pattern.from.is_none_or(|own| own == *from)
                            && self.may_send(state, mailbox, *from, pattern)
                        {
                            influence.add(*from);
                        }
                    }
                    // A receive of the same rank may have to give a message up, by taking another.
                    influence.add(rank);
                    if posted.iter().any(|p| p.pattern.from.is_none()) {
                        let senders = &self.program.mailboxes[mailbox as usize].senders;
                        senders.iter().for_each(|(from, _)| influence.add(*from));
                    }
                }
            },
            Kind::Enter { instance } if *instance != NONE => {
                let members = &self.program.instances[*instance as usize].members;
                for member in members.iter().filter(|m| !entered(state, m.rank, m.op)) {
                    influence.add(member.rank);
                }
            }
            _ => {}
        }
    }
}

struct Influence {
    seen: Vec<bool>,
    work: Vec<u32>,
}

impl Influence {
    fn add(&mut self, rank: u32) {
        if !std::mem::replace(&mut self.seen[rank as usize], true) {
            self.work.push(rank);
        }
    }
}

fn add(moves: &mut Vec<Move>, new: &Move) {
    if !moves.contains(new) {
        moves.push(new.clone());
    }
}

/// The ways to tell some of the complete requests.
pub(crate) fn told(rank: u32, complete: &[u32], need: Need) -> Vec<Move> {
    let one = |&op: &u32| Move::Tell {
        rank,
        ops: vec![op],
    };
    if need != Need::Some || complete.len() > SUBSETS {
        let mut moves: Vec<Move> = complete.iter().map(one).collect();
        if need == Need::Some {
            moves.push(Move::Tell {
                rank,
                ops: complete.to_vec(),
            });
        }
        return moves;
    }
    let subset = |bits: u32| {
        let chosen = (0..complete.len())
            .filter(|at| bits >> at & 1 == 1)
            .map(|at| complete[at])
            .collect();
        Move::Tell { rank, ops: chosen }
    };
    (1..1_u32 << complete.len()).map(subset).collect()
}
