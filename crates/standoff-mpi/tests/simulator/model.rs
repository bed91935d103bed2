//! A simulator of a small part of MPI, by definition and brute force.
//!
//! Messages travel in order on each (communicator, sender, receiver) and arrive in any order across channels. A message
//! that arrives is matched with the first posted receive that accepts it, else it joins the unexpected queue; a receive
//! that is posted takes the first unexpected message that it accepts. What MPI leaves open is a choice: whether a
//! standard send is buffered, whether a collective synchronizes beyond its data, which completed request Waitany takes.
//!
//! What standoff is shown of a state is in `picture.rs`.

use std::collections::{BTreeMap, HashSet};

use standoff_mpi::picture::CollectiveKind;

/// One instruction. Peers and roots are communicator ranks; communicator 0 is everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Do {
    Send {
        comm: usize,
        to: usize,
        tag: i32,
        sync: bool,
        blocking: bool,
    },
    Recv {
        comm: usize,
        from: Option<usize>,
        tag: Option<i32>,
        blocking: bool,
    },
    Probe {
        comm: usize,
        from: Option<usize>,
        tag: Option<i32>,
    },
    /// Waits for all outstanding requests of the thread (`any`: for one of them).
    Wait {
        any: bool,
    },
    /// Waits for the oldest outstanding request.
    WaitOldest,
    Barrier {
        comm: usize,
        blocking: bool,
    },
    Bcast {
        comm: usize,
        root: usize,
    },
    Allreduce {
        comm: usize,
    },
    Reduce {
        comm: usize,
        root: usize,
    },
    Scan {
        comm: usize,
    },
}

/// Groups of communicators, by world rank.
pub type Comms = Vec<Vec<usize>>;

/// What the simulated library does where MPI leaves it open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// Anything that MPI allows; and collectives that are called inconsistently count as the same.
    Any,
    /// Nothing is buffered, and every collective synchronizes.
    ZeroBuffer,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Pending {
    pub(crate) id: u64,
    pub(crate) what: Do,
    /// Receives: (sender, tag) of the message; sends: anything once matched.
    pub(crate) matched: Option<(usize, i32)>,
    /// Collectives.
    pub(crate) seq: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub(crate) struct Rank {
    pub(crate) ops: Vec<Pending>,
    pub(crate) unexpected: Vec<Message>,
    /// Collectives begun, by communicator.
    pub(crate) begun: BTreeMap<usize, Vec<(CollectiveKind, Option<usize>, bool)>>,
    /// Sends begun, by (communicator, destination, tag): their operations.
    pub(crate) sent: BTreeMap<(usize, usize, i32), Vec<u64>>,
    pub(crate) next: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Message {
    pub(crate) comm: usize,
    pub(crate) from: usize,
    pub(crate) tag: i32,
    pub(crate) op: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub(crate) struct Thread {
    pub(crate) pc: usize,
    /// In a call that waits for these operations; `true`: any of them.
    pub(crate) call: Option<(Vec<u64>, bool)>,
    pub(crate) requests: Vec<u64>,
}

/// A state of the whole job.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub(crate) ranks: Vec<Rank>,
    /// By rank and thread.
    pub(crate) threads: Vec<Vec<Thread>>,
    pub(crate) transit: BTreeMap<(usize, usize, usize), Vec<Message>>,
}

/// A program: for each rank, for each of its threads.
#[derive(Clone, Debug)]
pub struct Job {
    pub comms: Comms,
    pub programs: Vec<Vec<Vec<Do>>>,
}

pub(crate) fn kind(what: Do) -> Option<(usize, CollectiveKind, Option<usize>, bool)> {
    Some(match what {
        Do::Barrier { comm, blocking } => (comm, CollectiveKind::Barrier, None, blocking),
        Do::Bcast { comm, root } => (comm, CollectiveKind::Bcast, Some(root), true),
        Do::Allreduce { comm } => (comm, CollectiveKind::Allreduce, None, true),
        Do::Reduce { comm, root } => (comm, CollectiveKind::Reduce, Some(root), true),
        Do::Scan { comm } => (comm, CollectiveKind::Scan, None, true),
        _ => return None,
    })
}

fn accepts(what: Do, comms: &Comms, message: &Message) -> bool {
    let (Do::Recv {
        comm, from, tag, ..
    }
    | Do::Probe { comm, from, tag }) = what
    else {
        return false;
    };
    comm == message.comm
        && from.is_none_or(|from| comms[comm][from] == message.from)
        && tag.is_none_or(|tag| tag == message.tag)
}

impl Job {
    pub fn start(&self) -> State {
        State {
            ranks: vec![Rank::default(); self.programs.len()],
            threads: self
                .programs
                .iter()
                .map(|p| vec![Thread::default(); p.len()])
                .collect(),
            transit: BTreeMap::new(),
        }
    }

    /// Is the message in flight now, the operation complete now?
    fn done(&self, state: &State, rank: usize, id: u64, library: Library) -> bool {
        let content = &state.ranks[rank];
        let Some(op) = content.ops.iter().find(|o| o.id == id) else {
            return true;
        };
        match op.what {
            Do::Recv { .. } => op.matched.is_some(),
            Do::Send { sync, .. } => op.matched.is_some() || (!sync && library == Library::Any),
            Do::Probe { .. } => content
                .unexpected
                .iter()
                .any(|m| accepts(op.what, &self.comms, m)),
            what => {
                let Some((comm, kind, root, blocking)) = kind(what) else {
                    return true;
                };
                let mine = (kind, root, blocking);
                let members = &self.comms[comm];
                let entered = |&member: &usize| {
                    state.ranks[member]
                        .begun
                        .get(&comm)
                        .and_then(|b| b.get(op.seq as usize).copied())
                };
                // A library that does not notice an inconsistent call takes it for the right one.
                let same = |member: &usize| match library {
                    Library::Any => entered(member).is_some(),
                    Library::ZeroBuffer => entered(member) == Some(mine),
                };
                if library == Library::ZeroBuffer {
                    return members.iter().all(same);
                }
                let is_root = root.is_some_and(|root| members[root] == rank);
                match kind {
                    CollectiveKind::Bcast => {
                        is_root || root.is_some_and(|root| same(&members[root]))
                    }
                    CollectiveKind::Reduce => !is_root || members.iter().all(same),
                    CollectiveKind::Scan => members.iter().take_while(|&&m| m != rank).all(same),
                    _ => members.iter().all(same),
                }
            }
        }
    }

    /// Everything that can happen next.
    pub fn successors(&self, state: &State, library: Library) -> Vec<State> {
        let mut next = Vec::new();
        for (&(comm, from, to), queue) in &state.transit {
            let mut after = state.clone();
            if queue.len() == 1 {
                after.transit.remove(&(comm, from, to));
            } else if let Some(queue) = after.transit.get_mut(&(comm, from, to)) {
                queue.remove(0);
            }
            self.arrive(&mut after, to, queue[0]);
            next.push(after);
        }
        for rank in 0..self.programs.len() {
            for thread in 0..self.programs[rank].len() {
                let content = &state.threads[rank][thread];
                match &content.call {
                    Some((ids, any)) => {
                        let done: Vec<u64> = ids
                            .iter()
                            .copied()
                            .filter(|&id| self.done(state, rank, id, library))
                            .collect();
                        if *any {
                            next.extend(done.iter().map(|&id| finish(state, rank, thread, &[id])));
                        } else if done.len() == ids.len() {
                            next.push(finish(state, rank, thread, ids));
                        }
                    }
                    None => {
                        if let Some(&what) = self.programs[rank][thread].get(content.pc) {
                            let mut after = state.clone();
                            self.begin(&mut after, rank, thread, what);
                            next.push(after);
                        }
                    }
                }
            }
        }
        next
    }

    fn arrive(&self, state: &mut State, to: usize, message: Message) {
        let rank = &mut state.ranks[to];
        let receive = rank.ops.iter_mut().find(|o| {
            matches!(o.what, Do::Recv { .. })
                && o.matched.is_none()
                && accepts(o.what, &self.comms, &message)
        });
        match receive {
            Some(receive) => {
                receive.matched = Some((message.from, message.tag));
                matched(state, message);
            }
            None => rank.unexpected.push(message),
        }
    }

    fn begin(&self, state: &mut State, rank: usize, thread: usize, what: Do) {
        let id = state.ranks[rank].next;
        state.ranks[rank].next += 1;
        let mut op = Pending {
            id,
            what,
            matched: None,
            seq: 0,
        };
        let mut blocking = true;
        match what {
            Do::Wait { any } => {
                let requests = state.threads[rank][thread].requests.clone();
                let content = &mut state.threads[rank][thread];
                if requests.is_empty() {
                    content.pc += 1;
                } else {
                    content.call = Some((requests, any));
                }
                return;
            }
            Do::WaitOldest => {
                let content = &mut state.threads[rank][thread];
                match content.requests.first() {
                    None => content.pc += 1,
                    Some(&first) => content.call = Some((vec![first], false)),
                }
                return;
            }
            Do::Send {
                comm,
                to,
                tag,
                blocking: b,
                ..
            } => {
                blocking = b;
                let to = self.comms[comm][to];
                let message = Message {
                    comm,
                    from: rank,
                    tag,
                    op: id,
                };
                let sent = &mut state.ranks[rank].sent;
                sent.entry((comm, to, tag)).or_default().push(id);
                state
                    .transit
                    .entry((comm, rank, to))
                    .or_default()
                    .push(message);
            }
            Do::Recv { blocking: b, .. } => {
                blocking = b;
                let unexpected = &mut state.ranks[rank].unexpected;
                if let Some(at) = unexpected
                    .iter()
                    .position(|m| accepts(what, &self.comms, m))
                {
                    let message = unexpected.remove(at);
                    op.matched = Some((message.from, message.tag));
                    matched(state, message);
                }
            }
            Do::Probe { .. } => {}
            what => {
                if let Some((comm, kind, root, b)) = kind(what) {
                    blocking = b;
                    let begun = state.ranks[rank].begun.entry(comm).or_default();
                    op.seq = begun.len() as u64;
                    begun.push((kind, root, b));
                }
            }
        }
        state.ranks[rank].ops.push(op);
        let content = &mut state.threads[rank][thread];
        if blocking {
            content.call = Some((vec![id], false));
        } else {
            content.requests.push(id);
            content.pc += 1;
        }
    }

    /// Runs one path: `choices` picks successors, until they or the possibilities are used up.
    pub fn walk(&self, choices: &[u8], library: Library) -> State {
        let mut state = self.start();
        for &choice in choices {
            let mut next = self.successors(&state, library);
            if next.is_empty() {
                break;
            }
            let at = usize::from(choice) % next.len();
            state = next.swap_remove(at);
        }
        state
    }

    /// Runs on until nothing can happen.
    pub fn exhaust(&self, mut state: State, library: Library) -> State {
        while let Some(next) = self.successors(&state, library).pop() {
            state = next;
        }
        state
    }

    /// Which of the threads go on in some continuation. `None`: too many states.
    pub fn released(
        &self,
        start: &State,
        library: Library,
        watched: &[(usize, usize)],
        limit: usize,
    ) -> Option<Vec<(usize, usize)>> {
        let mut seen = HashSet::from([start.clone()]);
        let mut work = vec![start.clone()];
        let mut released = Vec::new();
        while let Some(state) = work.pop() {
            for &(rank, thread) in watched {
                if state.threads[rank][thread].pc > start.threads[rank][thread].pc
                    && !released.contains(&(rank, thread))
                {
                    released.push((rank, thread));
                }
            }
            for next in self.successors(&state, library) {
                if seen.insert(next.clone()) {
                    if seen.len() > limit {
                        return None;
                    }
                    work.push(next);
                }
            }
        }
        Some(released)
    }

    /// Threads inside a call.
    pub fn blocked(&self, state: &State) -> Vec<(usize, usize)> {
        let threads = state.threads.iter().enumerate();
        threads
            .flat_map(|(r, list)| {
                list.iter()
                    .enumerate()
                    .filter(|(_, t)| t.call.is_some())
                    .map(move |(t, _)| (r, t))
            })
            .collect()
    }

    /// Whether some members have begun different collectives in the same place.
    pub fn mismatch(&self, state: &State) -> bool {
        self.comms.iter().enumerate().any(|(comm, members)| {
            let lists: Vec<_> = members
                .iter()
                .filter_map(|&m| state.ranks[m].begun.get(&comm))
                .collect();
            lists.iter().any(|a| {
                lists
                    .iter()
                    .any(|b| a.iter().zip(b.iter()).any(|(x, y)| x != y))
            })
        })
    }
}

fn matched(state: &mut State, message: Message) {
    let sender = &mut state.ranks[message.from];
    if let Some(op) = sender.ops.iter_mut().find(|o| o.id == message.op) {
        op.matched = Some((message.from, message.tag));
    }
}

/// The call returns; these operations are complete.
fn finish(state: &State, rank: usize, thread: usize, ids: &[u64]) -> State {
    let mut after = state.clone();
    after.ranks[rank].ops.retain(|o| !ids.contains(&o.id));
    let content = &mut after.threads[rank][thread];
    content.requests.retain(|r| !ids.contains(r));
    content.call = None;
    content.pc += 1;
    after
}
