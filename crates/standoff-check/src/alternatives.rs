//! What wildcards could have been told instead, in an execution that is the recorded one up to there.
//!
//! Definition: outcome o is an alternative of call c if some execution tells c the outcome o and every other call that it has made
//! by then what was recorded. Let c be told nothing, and all ranks, that of c too, run on as far as they can with recorded outcomes,
//! everything buffered and every member of a collective leaving as early as it may: that is the largest such execution, since none of
//! these steps takes anything from another, and what c accepts is not given to a receive posted after it. So o is an alternative
//! exactly if it is possible there.
//!
//! # Reference
//! The sets of potential senders of Vakkalanka et al. (CAV 2008), computed as the "predictive" match sets of Forejt et al. (Precise
//! Predictive Analysis for Discovering Communication Deadlocks in MPI Programs, FM 2014).
//!
//! # What it may miss
//! Alternatives where the recorded outcome is not in the trace; some of the combinations that `MPI_Waitsome` may tell of more than [`crate::moves::SUBSETS`] requests
//! ([`crate::Bound::Together`]); most other answers to `MPI_Test` and `MPI_Iprobe`: the first [`POLLS`] are listed, after all wildcards, and whether MPI allows one is not decided.
//!
//! Cost: one run of the machine for each rank that has wildcards, and one that goes on from there for each wildcard that its rank can leave open.

use crate::machine::{Machine, Move, RankState, State};
use crate::moves::told;
use crate::program::{Asked, Kind, Need, OpRef, Program, Receive, Route};
use crate::result::{Alternative, Outcome};
use crate::stuck::Status;

/// Polls of which the other answer is listed.
const POLLS: usize = 16;

pub(crate) fn alternatives(program: &Program) -> Vec<Alternative> {
    let mut found = Vec::new();
    let open = |kind: &Kind| match kind {
        Kind::Wait(wait) => wait.need != Need::All,
        kind => wildcard(kind).is_some(),
    };
    for rank in 0..program.ranks.len() as u32 {
        if program.ranks[rank as usize]
            .ops
            .iter()
            .any(|op| open(&op.kind))
        {
            of_rank(program, rank, &mut found);
        }
    }
    polls(program, &mut found);
    found
}

/// Other answers to polls. An answer that only makes the program ask the same again, or once less, is none.
fn polls(program: &Program, found: &mut Vec<Alternative>) {
    let mut tried = 0;
    for (me, content) in program.ranks.iter().enumerate() {
        for (at, asked) in content.asked.iter().enumerate() {
            let same = |other: &Asked| (other.op, other.what) == (asked.op, asked.what);
            let again = match asked.found {
                true => content.asked[..at]
                    .iter()
                    .rev()
                    .take_while(|a| a.op == asked.op)
                    .any(same),
                false => content.asked.get(at + 1).is_some_and(same),
            };
            if again || tried == POLLS {
                continue;
            }
            tried += 1;
            let mut machine = Machine::new(program);
            machine.tell_all = true;
            let mut state = machine.start();
            state.ranks[me].limit = asked.op;
            eager(&mut machine, &mut state, None);
            let mut before = executed(program, &state);
            before[me] = asked.record;
            found.push(Alternative {
                rank: me as u32,
                event: asked.record,
                outcome: Outcome::Found(!asked.found),
                recorded: Outcome::Found(asked.found),
                before,
            });
        }
    }
}

/// How many records each rank has made.
fn executed(program: &Program, state: &State) -> Vec<u32> {
    let of = |(rank, s): (usize, &RankState)| {
        program.ranks[rank]
            .ops
            .get(s.pc as usize)
            .map_or(u32::MAX, |op| op.record)
    };
    state.ranks.iter().enumerate().map(of).collect()
}

fn wildcard(kind: &Kind) -> Option<&Receive> {
    match kind {
        Kind::Recv(r) | Kind::Probe { receive: r, .. } if r.pattern.from.is_none() => Some(r),
        _ => None,
    }
}

/// The alternatives of one rank, in the order of its wildcards.
fn of_rank(program: &Program, me: u32, found: &mut Vec<Alternative>) {
    let mut machine = Machine::new(program);
    machine.tell_all = true;
    let mut state = machine.start();
    loop {
        eager(&mut machine, &mut state, Some(Stay::Rank(me)));
        // All others have gone as far as they can.
        let next = next_wildcard(&machine, &state, me);
        let possible = next
            .as_ref()
            .is_some_and(|next| recorded(&machine, me, next).is_some());
        if let (false, Some((ways, Some(recorded)))) = (possible, machine.tellable(&state, me)) {
            let tells = |way: &Move| match way {
                Move::Tell { ops, .. } => Outcome::Requests {
                    events: ops.iter().map(|&op| machine.record(me, op)).collect(),
                },
                _ => Outcome::Requests { events: Vec::new() },
            };
            for way in ways.iter().filter(|way| **way != recorded) {
                found.push(Alternative {
                    rank: me,
                    event: machine.record(me, state.ranks[me as usize].pc),
                    outcome: tells(way),
                    recorded: tells(&recorded),
                    before: executed(program, &state),
                });
            }
            machine.apply(&mut state, &recorded);
            continue;
        }
        let Some((op, mailbox, now)) = next else {
            return;
        };
        let Some(receive) = wildcard(machine.kind(me, op)) else {
            return;
        };
        if receive.told.is_some() {
            match goes_on(&machine, &state, me, op) {
                false => others(&machine, &state, (me, op), &now, found),
                true => {
                    let mut later = state.clone();
                    eager(&mut machine, &mut later, Some(Stay::Open(me, op)));
                    let open = open(&machine, &later, me);
                    let now = open.into_iter().find(|next| next.0 == op);
                    let now = now.map(|next| next.2).unwrap_or_default();
                    others(&machine, &later, (me, op), &now, found);
                }
            }
        }
        let Some(send) = recorded(&machine, me, &(op, mailbox, now)) else {
            return;
        };
        let probe = matches!(machine.kind(me, op), Kind::Probe { .. });
        let choice = if probe {
            Move::Probe { rank: me, send }
        } else {
            Move::Match {
                mailbox,
                recv: op,
                send,
            }
        };
        machine.apply(&mut state, &choice);
    }
}

/// Whether more can happen while a wildcard of a rank is told nothing: the rank is not in a call that waits for it, or has other wildcards to be told.
fn goes_on(machine: &Machine<'_>, state: &State, me: u32, op: u32) -> bool {
    let waits = || {
        let (ops, any) = machine.waits(state, me);
        !any && ops.contains(&op)
    };
    machine.status(state, me) != Status::Blocked || !waits() || open(machine, state, me).len() > 1
}

/// Adds what a wildcard could be told in a state, other than recorded.
fn others(
    machine: &Machine<'_>,
    state: &State,
    (me, op): (u32, u32),
    now: &[OpRef],
    found: &mut Vec<Alternative>,
) {
    let Some(told) = wildcard(machine.kind(me, op)).and_then(|receive| receive.told) else {
        return;
    };
    let message = |(source, tag)| Outcome::Message { source, tag };
    for &send in now {
        let Kind::Send { tag, .. } = *machine.program.op(send) else {
            continue;
        };
        if told != (send.rank, tag) {
            found.push(Alternative {
                rank: me,
                event: machine.record(me, op),
                outcome: message((send.rank, tag)),
                recorded: message(told),
                before: executed(machine.program, state),
            });
        }
    }
}

type Next = (u32, u32, Vec<OpRef>);

/// The oldest wildcard of a rank whose recorded outcome is possible, or, if there is none, the oldest that can be told something.
fn next_wildcard(machine: &Machine<'_>, state: &State, me: u32) -> Option<Next> {
    let open = open(machine, state, me);
    let place = open
        .iter()
        .position(|next| recorded(machine, me, next).is_some())
        .unwrap_or(0);
    open.into_iter().nth(place)
}

fn recorded(machine: &Machine<'_>, me: u32, (op, _, now): &Next) -> Option<OpRef> {
    let told = wildcard(machine.kind(me, *op))?.told?;
    now.iter()
        .copied()
        .find(|&send| match machine.program.op(send) {
            Kind::Send { tag, .. } => told == (send.rank, *tag),
            _ => false,
        })
}

/// Wildcards of a rank that can be told something now.
fn open(machine: &Machine<'_>, state: &State, me: u32) -> Vec<Next> {
    let mut open: Vec<Next> = Vec::new();
    for (mailbox, content) in state.boxes.iter().enumerate() {
        if machine.program.mailboxes[mailbox].owner != me {
            continue;
        }
        for (at, posted) in content
            .posted
            .iter()
            .enumerate()
            .filter(|(_, p)| p.pattern.from.is_none())
        {
            let now = machine.candidates(state, mailbox as u32, posted.pattern, at);
            open.push((posted.op, mailbox as u32, now));
        }
    }
    let pc = state.ranks[me as usize].pc;
    if let Some(Kind::Probe { receive, .. }) = machine.program.ranks[me as usize]
        .ops
        .get(pc as usize)
        .map(|op| &op.kind)
        && let (None, Route::Mailbox(mailbox)) = (receive.pattern.from, receive.route)
    {
        open.push((
            pc,
            mailbox,
            machine.candidates(state, mailbox, receive.pattern, usize::MAX),
        ));
    }
    open.retain(|(_, _, now)| !now.is_empty());
    open.sort_by_key(|next| next.0);
    open
}

/// What is told nothing.
#[derive(Clone, Copy)]
enum Stay {
    /// Any wildcard of a rank.
    Rank(u32),
    /// One wildcard, by its rank and operation.
    Open(u32, u32),
}

/// Runs on with recorded outcomes, buffering everything.
fn eager(machine: &mut Machine<'_>, state: &mut State, stay: Option<Stay>) {
    loop {
        machine.run(state);
        let mut moves = machine.all_releases(state);
        for rank in 0..state.ranks.len() as u32 {
            let held = match stay {
                Some(Stay::Rank(me)) if me == rank => continue,
                Some(Stay::Open(me, op)) if me == rank => Some(op),
                _ => None,
            };
            for next in open(machine, state, rank) {
                if held == Some(next.0) {
                    continue;
                }
                if let Some(send) = recorded(machine, rank, &next) {
                    let (op, mailbox, _) = next;
                    let probe = matches!(machine.kind(rank, op), Kind::Probe { .. });
                    moves.push(if probe {
                        Move::Probe { rank, send }
                    } else {
                        Move::Match {
                            mailbox,
                            recv: op,
                            send,
                        }
                    });
                    // The others may have changed by it.
                    break;
                }
            }
            moves.extend(
                machine
                    .tellable(state, rank)
                    .and_then(|(_, recorded)| recorded),
            );
        }
        if moves.is_empty() {
            return;
        }
        for choice in moves {
            machine.apply(state, &choice);
        }
    }
}

impl Machine<'_> {
    /// If a rank is in a wait for any: the ways in which it could tell requests now, and the recorded one if that is possible.
    fn tellable(&self, state: &State, rank: u32) -> Option<(Vec<Move>, Option<Move>)> {
        let content = &state.ranks[rank as usize];
        if content.pc >= content.limit {
            return None;
        }
        let op = self.program.ranks[rank as usize]
            .ops
            .get(content.pc as usize)?;
        let Kind::Wait(wait) = &op.kind else {
            return None;
        };
        if !self.tells(wait) {
            return None;
        }
        let list = self.program.list(rank as usize, wait).iter().copied();
        let complete: Vec<u32> = list
            .filter(|&op| !content.told.contains(&op) && self.complete(state, rank, op))
            .collect();
        let mut recorded = self.program.recorded(rank as usize, wait).to_vec();
        recorded.sort_unstable();
        let possible = !recorded.is_empty() && recorded.iter().all(|op| complete.contains(op));
        Some((
            told(rank, &complete, wait.need),
            possible.then_some(Move::Tell {
                rank,
                ops: recorded,
            }),
        ))
    }
}
