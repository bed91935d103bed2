//! Every legal execution of a program, as far as executions differ.
//!
//! # Reference
//! Stateful search with persistent sets (Godefroid 1996), states compared by a digest of 128 bits (Wolper & Leroy, Reliable Hashing
//! without Collision Detection, CAV 1993), orbits of equal ranks kept as one (Emerson & Sistla 1996).
//!
//! # What it may miss
//! What the scope says; and, with a probability of about (states)² / 2^128, a state whose digest equals another's.

use std::collections::HashSet;
use std::rc::Rc;

use crate::machine::{Machine, Move, State};
use crate::moves::SUBSETS;
use crate::program::{Kind, NONE, Program};
use crate::result::{Bound, Effort, Options, Scope, Step, Verdict, Witness};

/// A state to go on from, and the choices that led there.
struct Branch {
    /// Shared by all choices of one state.
    state: Rc<State>,
    /// How much of the path it has.
    depth: usize,
    next: Move,
}

/// Searches a program.
pub(crate) fn search(program: &Program, options: &Options) -> (Verdict, Effort) {
    let mut machine = Machine::new(program);
    let (mut visited, mut work, mut path) =
        (HashSet::new(), Vec::<Branch>::new(), Vec::<Move>::new());
    let (mut states, mut bounds) = (0, program.bounds.clone());
    if options.certain {
        let never = program.never_completed();
        bounds.extend(never.map(|rank| Bound::NeverCompleted { rank }));
    }
    let together = program.together(SUBSETS);
    bounds.extend(together.map(|rank| Bound::Together { rank }));
    let mut state = machine.start();
    loop {
        machine.run(&mut state);
        let mut moves = machine.choices(&state);
        // Once a rank has left its record, what the others may do is for a run that forces what made it leave.
        let left = state.ranks.iter().any(|r| r.pc >= r.limit);
        let open = !moves.is_empty();
        if options.certain {
            let count = moves.len();
            moves.retain(|choice| machine.diverges(&state, choice).is_none());
            if moves.len() < count {
                bounds.insert(Bound::OtherOutcomes);
            }
        }
        if !open {
            if machine.anybody_stuck(&state) {
                let witness = witness(program, &path);
                let effort = Effort {
                    states,
                    operations: machine.steps,
                };
                return (Verdict::Deadlock(Box::new(witness)), effort);
            }
            if !left {
                moves = machine.all_releases(&state);
            }
        }
        if left {
            bounds.insert(Bound::Follows);
            moves.clear();
        }
        states += u64::from(moves.len() > 1);
        if moves.len() > 1 && !visited.insert(digest(program, &state)) {
            moves.clear();
        }
        if states > options.states {
            bounds.insert(Bound::States {
                visited: options.states,
            });
            break;
        }
        if !moves.is_empty() {
            let first = moves.swap_remove(0);
            if !moves.is_empty() {
                let shared = Rc::new(state.clone());
                for next in moves {
                    work.push(Branch {
                        state: Rc::clone(&shared),
                        depth: path.len(),
                        next,
                    });
                }
            }
            machine.apply(&mut state, &first);
            path.push(first);
            continue;
        }
        let Some(branch) = work.pop() else { break };
        path.truncate(branch.depth);
        state = Rc::unwrap_or_clone(branch.state);
        machine.apply(&mut state, &branch.next);
        path.push(branch.next);
    }
    let scope = if bounds.is_empty() {
        Scope::RecordedControlFlow
    } else {
        Scope::Bounded(bounds.into_iter().collect())
    };
    (
        Verdict::Clean(scope),
        Effort {
            states,
            operations: machine.steps,
        },
    )
}

/// Makes the choices once more, and writes down what happens.
fn witness(program: &Program, path: &[Move]) -> Witness {
    let mut machine = Machine::new(program);
    machine.log = Some(Vec::new());
    let mut state = machine.start();
    machine.run(&mut state);
    let mut diverges = Vec::new();
    for choice in path {
        diverges.extend(machine.diverges(&state, choice));
        machine.apply(&mut state, choice);
        machine.run(&mut state);
    }
    let (stuck, core) = machine.stuck(&state);
    let steps: Vec<Step> = machine.log.take().unwrap_or_default();
    Witness {
        steps,
        stuck,
        core,
        diverges,
    }
}

impl Machine<'_> {
    /// The call that a choice tells something else than was recorded.
    fn diverges(&self, state: &State, choice: &Move) -> Option<(u32, u32)> {
        let (rank, op, send) = match choice {
            Move::Match {
                mailbox,
                recv,
                send,
            } => (self.program.mailboxes[*mailbox as usize].owner, *recv, send),
            Move::Probe { rank, send } => (*rank, state.ranks[*rank as usize].pc, send),
            Move::Tell { rank, ops } => {
                let pc = state.ranks[*rank as usize].pc;
                let Kind::Wait(wait) = self.kind(*rank, pc) else {
                    return None;
                };
                let mut told = self.program.recorded(*rank as usize, wait).to_vec();
                told.sort_unstable();
                return (!told.is_empty() && told != *ops).then(|| (*rank, self.record(*rank, pc)));
            }
            Move::Release { .. } => return None,
        };
        let (Kind::Recv(receive) | Kind::Probe { receive, .. }) = self.kind(rank, op) else {
            return None;
        };
        let Kind::Send { tag, .. } = self.program.op(*send) else {
            return None;
        };
        let told = receive.told?;
        (told != (send.rank, *tag)).then(|| (rank, self.record(rank, op)))
    }
}

/// A number for a state, equal for states with the same future.
fn digest(program: &Program, state: &State) -> u128 {
    let mut ranks: Vec<u128> = Vec::with_capacity(state.ranks.len());
    for rank in &state.ranks {
        let mut sum = mix(1, u64::from(rank.pc), u64::from(rank.limit));
        for &op in &rank.released {
            sum = sum.wrapping_add(mix(2, u64::from(op), 0));
        }
        for &op in &rank.told {
            sum = sum.wrapping_add(mix(3, u64::from(op), 0));
        }
        if let Some((from, tag)) = rank.bound {
            sum = sum.wrapping_add(mix(4, u64::from(from), tag as u64));
        }
        ranks.push(sum);
    }
    for (content, mailbox) in state.boxes.iter().zip(&program.mailboxes) {
        for message in &content.messages {
            let sum = &mut ranks[message.from as usize];
            *sum = sum.wrapping_add(mix(5, u64::from(message.op), u64::from(message.held)));
        }
        for posted in &content.posted {
            // The pattern of a bound receive is not in its operation.
            let from = posted.pattern.from.map_or(0, |from| u64::from(from) + 1);
            let sum = &mut ranks[mailbox.owner as usize];
            *sum = sum.wrapping_add(mix(6, u64::from(posted.op), from));
        }
    }
    let mut all = 0_u128;
    for (at, sum) in ranks.into_iter().enumerate() {
        let place = match program.orbits[at] {
            NONE => at as u64,
            orbit => u64::from(orbit) | 1 << 40,
        };
        let (low, high) = (sum as u64, (sum >> 64) as u64);
        all = all.wrapping_add(mix(place ^ 7 << 48, low, high));
    }
    all
}

/// Three words to 128 bits, by two rounds of splitmix64 with different constants.
fn mix(a: u64, b: u64, c: u64) -> u128 {
    let round = |seed: u64| {
        let mut h = seed;
        for word in [a, b, c] {
            h = (h ^ word).wrapping_add(0x9e37_79b9_7f4a_7c15);
            h = (h ^ (h >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            h = (h ^ (h >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            h ^= h >> 31;
        }
        h
    };
    u128::from(round(0x243f_6a88_85a3_08d3)) << 64 | u128::from(round(0x1319_8a2e_0370_7344))
}
