//! Requests of our own beside one of the program's, which counts as complete when they are.
//!
//! A barrier beside a nonblocking collective; the pieces of a collective whose data goes by messages; a communicator of our own that is made beside one of
//! the program's.

use super::force::forced;
use super::parts::Sum;
use crate::P;
use crate::hooks::SUCCESS;
use crate::hooks::groups::library;
use crate::rank::{Rank, ThreadState};

/// What one of the program's requests waits for beside its own completion.
#[derive(Default)]
pub(crate) struct Companion {
    /// Requests of our own.
    pub(super) requests: Vec<usize>,
    /// What is done when they are complete.
    pub(super) then: Then,
}

/// What is done when a companion is complete.
#[derive(Default)]
pub(super) enum Then {
    #[default]
    Nothing,
    /// The pieces that came are reduced.
    Sum(Sum),
    /// A communicator of our own is there, beside the program's with this identity.
    Shadow { id: u64, made: Box<usize> },
}

impl Companion {
    /// Of one request.
    pub fn of(request: usize) -> Companion {
        Companion {
            requests: vec![request],
            then: Then::Nothing,
        }
    }

    fn add(&mut self, other: Companion) {
        self.requests.extend(other.requests);
        if !matches!(other.then, Then::Nothing) {
            self.then = other.then;
        }
    }

    /// Waits for all of it.
    pub fn finish(mut self, rank: &Rank) -> Option<i32> {
        let wait = library!(c"PMPI_Wait", fn(P, P))?;
        let mut rc = SUCCESS;
        for request in &mut self.requests {
            // SAFETY: MPI's signature, a request of our own.
            rc |= unsafe { wait((&raw mut *request).cast(), rank.abi.status_ignore as P) };
        }
        Some(rc | self.then.act(rank)?)
    }

    /// Whether all of it is complete. What is not stays.
    fn done(&mut self, rank: &Rank) -> bool {
        let Some(test) = library!(c"PMPI_Test", fn(P, *mut i32, P)) else {
            return true;
        };
        let ignore = rank.abi.status_ignore as P;
        self.requests.retain_mut(|request| {
            let mut done = 0i32;
            // SAFETY: MPI's signature, a request of our own.
            let rc = unsafe { test((&raw mut *request).cast(), &raw mut done, ignore) };
            rc == SUCCESS && done == 0
        });
        self.requests.is_empty()
    }

    /// Its requests. What they write to stays for ever.
    pub(super) fn into_requests(self) -> Vec<usize> {
        std::mem::forget(self.then);
        self.requests
    }
}

impl Then {
    fn act(self, rank: &Rank) -> Option<i32> {
        match self {
            Then::Nothing => Some(SUCCESS),
            Then::Sum(sum) => sum.make(rank),
            Then::Shadow { id, made } => {
                forced(rank, |_, _, forced| forced.shadows.insert(id, *made));
                Some(SUCCESS)
            }
        }
    }
}

/// Puts it beside the program's request with this identity; `None`: it has no entry, and nobody will wait for the companion before the end.
pub(crate) fn accompany(rank: &Rank, order: Option<u64>, companion: Companion) {
    forced(rank, |_, _, forced| {
        match order {
            Some(order) => forced.companions.entry(order).or_default().add(companion),
            None => {
                let requests = companion.into_requests().into_iter();
                forced.pending.extend(requests.map(|r| (r, Vec::new())));
            }
        }
        Some(())
    });
}

/// The requests in `thread.waits` that have companions: position and identity.
fn accompanied(rank: &Rank, thread: &ThreadState) -> Vec<(u32, u64)> {
    let all = forced(rank, |_, b, forced| {
        if forced.companions.is_empty() {
            return None;
        }
        let of = |&(position, o): &(u32, u32)| {
            let order = b.ops.get(o as usize)?.order;
            let there = forced.companions.contains_key(&order);
            there.then_some((position, order))
        };
        Some(thread.waits.iter().filter_map(of).collect())
    });
    all.unwrap_or_default()
}

fn taken(rank: &Rank, order: u64) -> Option<Companion> {
    forced(rank, |_, _, forced| forced.companions.remove(&order))
}

/// Waits for the companions of the requests of a call that waits for all of them.
#[inline(always)]
pub(crate) fn ahead(rank: &Rank, thread: &ThreadState) {
    if !rank.records() {
        return;
    }
    for (_, order) in accompanied(rank, thread) {
        if let Some(companion) = taken(rank, order) {
            companion.finish(rank);
        }
    }
}

/// Positions of the requests whose companion is not complete.
#[inline(always)]
pub(crate) fn held(rank: &Rank, thread: &ThreadState) -> Vec<u32> {
    if !rank.records() {
        return Vec::new();
    }
    let mut held = Vec::new();
    for (position, order) in accompanied(rank, thread) {
        let Some(mut companion) = taken(rank, order) else {
            continue;
        };
        if companion.done(rank) {
            companion.then.act(rank);
        } else {
            held.push(position);
            accompany(rank, Some(order), companion);
        }
    }
    held
}
