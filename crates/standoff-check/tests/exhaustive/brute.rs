//! Every interleaving, matching and reading, by definition.
//!
//! Messages travel in order on each (communicator, sender, receiver) and arrive in any order across channels. A posted receive and a message
//! that has arrived may be matched at any time, if no message of the same channel that the receive accepts arrived before, and no
//! receive that accepts the message was posted before. A standard send may complete before it is matched, a member may leave
//! a collective as soon as the data it needs can be there. A deadlock is a state in which nothing can happen
//! unless the library buffers or lets go once more, and somebody is not through.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::job::{Coll, Do, Job, Mode};

#[derive(Clone, PartialEq, Eq, Hash, Default)]
struct Rank {
    pc: usize,
    /// In the call at `pc`.
    inside: bool,
    /// Calls that posted something not matched (sends, receives), by place in the program.
    unmatched: BTreeSet<usize>,
    /// Unexpected messages, in order of arrival: (communicator, sender, tag, place of the send).
    unexpected: Vec<Message>,
    /// Requests that were told.
    inactive: BTreeSet<usize>,
    /// What wildcards were told so far, where that is tracked.
    outcomes: BTreeMap<usize, (usize, i32)>,
}

/// What each wildcard was told, by (rank, place in its program): (world rank, tag).
pub type Outcomes = BTreeMap<(usize, usize), (usize, i32)>;

type Message = (usize, usize, i32, usize);

#[derive(Clone, PartialEq, Eq, Hash)]
struct State {
    ranks: Vec<Rank>,
    transit: BTreeMap<(usize, usize, usize), Vec<Message>>,
    /// Keep states apart in which wildcards were told different things.
    track: bool,
}

/// Whether the library must let an operation complete, may, or may not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Done {
    No,
    May,
    Must,
}

/// Whether some execution ends in a deadlock. `None`: more than `limit` states.
pub fn can_deadlock(job: &Job, limit: usize) -> Option<bool> {
    let start = State {
        ranks: vec![Rank::default(); job.programs.len()],
        transit: BTreeMap::new(),
        track: false,
    };
    let mut seen = HashSet::from([start.clone()]);
    let mut work = vec![start];
    while let Some(state) = work.pop() {
        let (next, must) = successors(job, &state);
        let through = state
            .ranks
            .iter()
            .zip(&job.programs)
            .all(|(r, p)| r.pc == p.len());
        if !must && !through {
            return Some(true);
        }
        for next in next {
            if !seen.contains(&next) {
                if seen.len() >= limit {
                    return None;
                }
                seen.insert(next.clone());
                work.push(next);
            }
        }
    }
    Some(false)
}

/// What wildcards are told in each execution that runs through. `None`: more than `limit` states.
pub fn executions(job: &Job, limit: usize) -> Option<BTreeSet<Outcomes>> {
    let ranks = vec![Rank::default(); job.programs.len()];
    let start = State {
        ranks,
        transit: BTreeMap::new(),
        track: true,
    };
    let (mut seen, mut work, mut found) =
        (HashSet::from([start.clone()]), vec![start], BTreeSet::new());
    while let Some(state) = work.pop() {
        let (next, _) = successors(job, &state);
        if state
            .ranks
            .iter()
            .zip(&job.programs)
            .all(|(r, p)| r.pc == p.len())
        {
            let of = |(rank, r): (usize, &Rank)| {
                r.outcomes
                    .iter()
                    .map(move |(&at, &told)| ((rank, at), told))
                    .collect::<Vec<_>>()
            };
            // A receive that nobody waits for may still be open.
            if next.is_empty() {
                found.insert(state.ranks.iter().enumerate().flat_map(of).collect());
            }
        }
        for next in next {
            if seen.len() >= limit {
                return None;
            }
            if seen.insert(next.clone()) {
                work.push(next);
            }
        }
    }
    Some(found)
}

fn told(job: &Job, state: &mut State, rank: usize, at: usize, message: Message) {
    let what = job.programs[rank][at];
    let wild = matches!(
        what,
        Do::Recv { from: None, .. }
            | Do::Probe { from: None, .. }
            | Do::MprobeRecv { from: None, .. }
    );
    if state.track && wild {
        state.ranks[rank]
            .outcomes
            .insert(at, (message.1, message.2));
    }
}

/// All next states, and whether one of them comes by itself.
fn successors(job: &Job, state: &State) -> (Vec<State>, bool) {
    let (mut next, mut must) = (Vec::new(), false);
    for (&channel, queue) in &state.transit {
        let mut after = state.clone();
        let rest = queue[1..].to_vec();
        if rest.is_empty() {
            after.transit.remove(&channel);
        } else {
            after.transit.insert(channel, rest);
        }
        after.ranks[channel.2].unexpected.push(queue[0]);
        next.push(after);
        must = true;
    }
    for rank in 0..job.programs.len() {
        let content = &state.ranks[rank];
        for &posted in &content.unmatched {
            for message in legal(job, state, rank, posted) {
                let mut after = state.clone();
                after.ranks[rank].unmatched.remove(&posted);
                take(&mut after, rank, message);
                told(job, &mut after, rank, posted, message);
                next.push(after);
                must = true;
            }
        }
        let Some(&what) = job.programs[rank].get(content.pc) else {
            continue;
        };
        if !content.inside {
            let mut after = state.clone();
            begin(job, &mut after, rank, what);
            next.push(after);
            must = true;
            continue;
        }
        let requests = |one: Option<usize>| -> Vec<usize> {
            let made = (0..content.pc).filter(|&at| job.programs[rank][at].makes_request());
            made.filter(|at| one.is_none_or(|one| one == *at) && !content.inactive.contains(at))
                .collect()
        };
        let done = |at: &usize| done(job, state, rank, *at);
        match what {
            Do::WaitAll | Do::WaitOne(_) => {
                let list = requests(if let Do::WaitOne(one) = what {
                    Some(one)
                } else {
                    None
                });
                let all = list.iter().map(done).min().unwrap_or(Done::Must);
                if all > Done::No {
                    next.push(leave(state, rank, &list));
                    must |= all == Done::Must;
                }
            }
            Do::WaitAny | Do::WaitSome => {
                let list = requests(None);
                if list.is_empty() {
                    next.push(leave(state, rank, &[]));
                    must = true;
                }
                must |= list.iter().any(|at| done(at) == Done::Must);
                let complete: Vec<usize> =
                    list.into_iter().filter(|at| done(at) > Done::No).collect();
                for bits in 1..1_u32 << complete.len() {
                    if what == Do::WaitSome || bits.count_ones() == 1 {
                        let chosen: Vec<usize> = (0..complete.len())
                            .filter(|i| bits >> i & 1 == 1)
                            .map(|i| complete[i])
                            .collect();
                        next.push(leave(state, rank, &chosen));
                    }
                }
            }
            Do::Probe { .. } => {
                for message in legal(job, state, rank, content.pc) {
                    let mut after = leave(state, rank, &[]);
                    told(job, &mut after, rank, content.pc, message);
                    next.push(after);
                    must = true;
                }
            }
            Do::MprobeRecv { .. } => {
                for message in legal(job, state, rank, content.pc) {
                    let mut after = leave(state, rank, &[]);
                    take(&mut after, rank, message);
                    told(job, &mut after, rank, content.pc, message);
                    next.push(after);
                    must = true;
                }
            }
            Do::Send { .. } | Do::Recv { .. } | Do::Collective { .. } => {
                let done = done(&content.pc);
                if done > Done::No {
                    next.push(leave(state, rank, &[]));
                    must |= done == Done::Must;
                }
            }
        }
    }
    (next, must)
}

fn leave(state: &State, rank: usize, told: &[usize]) -> State {
    let mut after = state.clone();
    let content = &mut after.ranks[rank];
    content.inactive.extend(told);
    content.inside = false;
    content.pc += 1;
    after
}

fn accepts(job: &Job, what: Do, &(comm, sender, tag, _): &Message) -> bool {
    let (Do::Recv {
        comm: c,
        from,
        tag: t,
        ..
    }
    | Do::Probe {
        comm: c,
        from,
        tag: t,
    }
    | Do::MprobeRecv {
        comm: c,
        from,
        tag: t,
    }) = what
    else {
        return false;
    };
    c == comm && from.is_none_or(|f| job.comms[c][f] == sender) && t.is_none_or(|t| t == tag)
}

/// The first message of each channel that a receive or probe accepts, those left out that an earlier receive accepts.
fn legal(job: &Job, state: &State, rank: usize, at: usize) -> Vec<Message> {
    let what = job.programs[rank][at];
    let (mut channels, mut found) = (BTreeSet::new(), Vec::new());
    for &message in &state.ranks[rank].unexpected {
        if accepts(job, what, &message) && channels.insert((message.0, message.1)) {
            let before = state.ranks[rank].unmatched.range(..at);
            if !before
                .into_iter()
                .any(|&r| accepts(job, job.programs[rank][r], &message))
            {
                found.push(message);
            }
        }
    }
    found
}

/// Takes a message out of the receiver's queue.
fn take(state: &mut State, rank: usize, message: Message) {
    state.ranks[rank].unexpected.retain(|m| *m != message);
    state.ranks[message.1].unmatched.remove(&message.3);
}

fn begin(job: &Job, state: &mut State, rank: usize, what: Do) {
    let pc = state.ranks[rank].pc;
    match what {
        Do::Send { comm, to, tag, .. } => {
            let to = job.comms[comm][to];
            state
                .transit
                .entry((comm, rank, to))
                .or_default()
                .push((comm, rank, tag, pc));
            state.ranks[rank].unmatched.insert(pc);
        }
        Do::Recv { .. } => {
            state.ranks[rank].unmatched.insert(pc);
        }
        _ => {}
    }
    let content = &mut state.ranks[rank];
    if what.makes_request() {
        content.pc += 1;
    } else {
        content.inside = true;
    }
}

fn done(job: &Job, state: &State, rank: usize, at: usize) -> Done {
    let matched = !state.ranks[rank].unmatched.contains(&at);
    match job.programs[rank][at] {
        Do::Send {
            mode: Mode::Buffered,
            ..
        } => Done::Must,
        Do::Send {
            mode: Mode::Standard,
            ..
        } if !matched => Done::May,
        Do::Send { .. } | Do::Recv { .. } => {
            if matched {
                Done::Must
            } else {
                Done::No
            }
        }
        Do::Collective {
            comm,
            what,
            blocking,
        } => {
            let seq = number(job, rank, at, comm);
            let here = |member: usize| -> Option<(Coll, bool)> {
                let content = &state.ranks[member];
                let begun = content.pc + usize::from(content.inside);
                let calls = job.programs[member][..begun].iter();
                calls
                    .filter_map(|&c| match c {
                        Do::Collective {
                            comm: c,
                            what,
                            blocking,
                        } if c == comm => Some((what, blocking)),
                        _ => None,
                    })
                    .nth(seq)
            };
            let members = &job.comms[comm];
            // Calls that do not fit together: nobody may rely on going on, ever.
            let all_calls = members.iter().filter_map(|&m| {
                let calls = job.programs[m].iter().filter_map(|&c| match c {
                    Do::Collective {
                        comm: c,
                        what,
                        blocking,
                    } if c == comm => Some((what, blocking)),
                    _ => None,
                });
                calls.clone().nth(seq)
            });
            if all_calls.into_iter().any(|c| c != (what, blocking)) {
                return Done::No;
            }
            if members.iter().all(|&m| here(m).is_some()) {
                return Done::Must;
            }
            let data = match what {
                Coll::Barrier | Coll::Allreduce => false,
                Coll::Bcast(root) => members[root] == rank || here(members[root]).is_some(),
                Coll::Reduce(root) => members[root] != rank,
                Coll::Scan => members
                    .iter()
                    .take_while(|&&m| m != rank)
                    .all(|&m| here(m).is_some()),
            };
            if data { Done::May } else { Done::No }
        }
        _ => Done::Must,
    }
}

fn number(job: &Job, rank: usize, at: usize, comm: usize) -> usize {
    let on = |c: &&Do| matches!(c, Do::Collective { comm: own, .. } if *own == comm);
    job.programs[rank][..at].iter().filter(on).count()
}
