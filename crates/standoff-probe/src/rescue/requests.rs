//! Completing requests of which some were sent as copies.

use super::{Held, Kept, Patience, Rescue};
use crate::P;
use crate::hooks::SUCCESS;
use crate::raise::Endable;
use crate::rank::{Rank, ThreadState};
use crate::record::Tells;
use standoff_board::layout::op;
use std::sync::atomic::Ordering;

/// What a call asks for.
#[derive(Clone, Copy)]
pub(crate) enum Which {
    /// The only request.
    One,
    /// All of so many.
    All(i32),
    /// Any or some of so many.
    Some(i32, Tells),
}

/// A call that completes requests of the program's, which the thread has gathered.
pub(crate) struct Completing<'a> {
    rank: &'a Rank,
    rescue: &'a Rescue,
    thread: &'a ThreadState,
    which: Which,
    requests: P,
    statuses: P,
    /// Positions that were let go, and of which the call has to tell.
    released: Vec<u32>,
}

/// When a send is let go.
#[derive(Clone, Copy)]
enum Asked {
    /// The monitor has asked for all that is waited for.
    Now,
    /// The monitor has asked for what is polled, as often as this.
    Polled(u32),
    Never,
}

impl<'a> Completing<'a> {
    /// `statuses` are the program's, or MPI's constant to ignore them.
    pub fn new(
        rank: &'a Rank,
        rescue: &'a Rescue,
        thread: &'a ThreadState,
        which: Which,
        requests: P,
        statuses: P,
    ) -> Completing<'a> {
        rescue.sweep(rank);
        Completing {
            rank,
            rescue,
            thread,
            which,
            requests,
            statuses,
            released: Vec::new(),
        }
    }

    /// Blocks. An error of ours is not handed on yet.
    pub fn wait(mut self, call: Option<&Endable<'_>>) -> i32 {
        let before = self.rescue.asked.load(Ordering::Acquire);
        let mut patience = Patience::default();
        loop {
            let (rc, done) = self.attempt();
            if rc != SUCCESS || done {
                return rc;
            }
            let asked = match self.rescue.asked.load(Ordering::Acquire) == before {
                true => Asked::Never,
                false => Asked::Now,
            };
            if self.release(asked) {
                continue;
            }
            if let Some(code) = call.and_then(Endable::ended) {
                return code;
            }
            patience.wait();
        }
    }

    /// Polls once: its result, and whether something was found.
    pub fn poll(mut self) -> (i32, bool) {
        let (rc, done) = self.attempt();
        if rc != SUCCESS || done {
            return (rc, done);
        }
        let asked = Asked::Polled(self.rescue.polled.load(Ordering::Acquire));
        if self.succeeds(asked) && self.release(asked) {
            return self.attempt();
        }
        (rc, done)
    }

    /// Whether the poll finds something once sends are let go. A `MPI_Testall` that finds nothing has to leave all requests as they are.
    fn succeeds(&self, asked: Asked) -> bool {
        if !matches!(self.which, Which::All(_)) {
            return true;
        }
        let ignore = self.rank.abi.status_ignore as P;
        let kept = self.rescue.kept();
        self.thread.waits.iter().all(|&(i, _)| {
            let handle = self.handle(i);
            // The library takes a persistent send of ours for inactive, which is complete.
            let ours = || kept.persistent.get(&handle)?.pending();
            self.lets_go(&kept, handle, asked).is_some()
                || (ours().is_none() && self.rescue.functions.complete(handle, ignore))
        })
    }

    /// Whether the send of this request is let go, and if so, whether the monitor meant it.
    fn lets_go(&self, kept: &Kept, handle: usize, asked: Asked) -> Option<bool> {
        let (polled, place) = kept.pending(handle)?;
        let meant = match asked {
            Asked::Now => true,
            Asked::Polled(now) => now != polled,
            Asked::Never => false,
        };
        (meant || self.rescue.always || kept.unsafe_places.contains(&place)).then_some(meant)
    }

    fn handle(&self, i: u32) -> usize {
        // SAFETY: a position in the program's array.
        unsafe { self.rank.abi.handle_at(self.requests, i as usize) }
    }

    fn attempt(&mut self) -> (i32, bool) {
        match self.which {
            Which::One | Which::All(_) => self.all(),
            Which::Some(n, tells) if tells.count.is_none() => self.any(n, tells),
            Which::Some(n, tells) => self.some(n, tells),
        }
    }

    /// Positions of the persistent sends of ours: those that are over, and whether there are others.
    fn persistent(&self) -> (Vec<u32>, bool) {
        let f = &self.rescue.functions;
        let ignore = self.rank.abi.status_ignore as P;
        let (mut over, mut more) = (Vec::new(), false);
        let mut kept = self.rescue.kept();
        let Kept {
            persistent, used, ..
        } = &mut *kept;
        if persistent.is_empty() {
            return (over, more);
        }
        for &(i, _) in &self.thread.waits {
            let Some(one) = persistent.get_mut(&self.handle(i)).filter(|p| p.live()) else {
                continue;
            };
            let (done, freed) = one.progress(f, ignore);
            *used -= freed;
            if done {
                over.push(i);
            } else {
                more = true;
            }
        }
        (over, more)
    }

    /// The program is told of these.
    fn told(&self, positions: &[u32]) {
        let mut kept = self.rescue.kept();
        for &i in positions {
            if let Some(one) = kept.persistent.get_mut(&self.handle(i)) {
                one.told();
            }
        }
    }

    /// `MPI_Test`, `MPI_Testall`.
    fn all(&mut self) -> (i32, bool) {
        let (over, more) = self.persistent();
        if more {
            // The others get on with it: the library has been asked.
            return (SUCCESS, false);
        }
        let f = &self.rescue.functions;
        let (rc, done) = match self.which {
            Which::All(n) => f.testall(n, self.requests, self.statuses),
            _ => f.test_at(self.requests, self.statuses),
        };
        if done || rc != SUCCESS {
            self.told(&over);
        }
        (rc, done)
    }

    /// `MPI_Testany`.
    fn any(&mut self, n: i32, tells: Tells) -> (i32, bool) {
        let (over, more) = self.persistent();
        if let Some(i) = self.released.pop().or(over.first().copied()) {
            self.told(&[i]);
            self.empty(0);
            tells.index(i);
            return (SUCCESS, true);
        }
        let f = &self.rescue.functions;
        let (rc, done) = f.testany(n, self.requests, tells.list, self.statuses);
        // What is inactive for the library may be ours.
        let none = done && tells.positions().next().is_none();
        (rc, done && !(none && more))
    }

    /// `MPI_Testsome`.
    fn some(&mut self, n: i32, tells: Tells) -> (i32, bool) {
        let Some(count) = tells.count else {
            return self.any(n, tells);
        };
        let f = &self.rescue.functions;
        let (rc, done) = f.testsome(n, self.requests, count, tells.list, self.statuses);
        if rc != SUCCESS {
            return (rc, done);
        }
        let (over, more) = self.persistent();
        self.told(&over);
        let mut list: Vec<u32> = tells.positions().collect();
        if over.is_empty() && self.released.is_empty() {
            return (rc, done && !(list.is_empty() && more));
        }
        for i in over.into_iter().chain(std::mem::take(&mut self.released)) {
            self.empty(list.len());
            list.push(i);
        }
        tells.put(self.rank, &list);
        (rc, true)
    }

    /// The status of a send that is over.
    fn empty(&self, at: usize) {
        let abi = &self.rank.abi;
        if self.statuses as usize == abi.status_ignore {
            return;
        }
        let status = self.statuses.wrapping_byte_add(at * abi.status_size);
        let mut null = abi.request_null;
        self.rescue.functions.test(&mut null, status);
    }

    /// Lets sends go: true if any was.
    fn release(&mut self, asked: Asked) -> bool {
        let mut any = false;
        let one = matches!(self.which, Which::Some(_, tells) if tells.count.is_none());
        for k in 0..self.thread.waits.len() {
            let i = self.thread.waits[k].0;
            let handle = self.handle(i);
            let mut kept = self.rescue.kept();
            let Some(meant) = self.lets_go(&kept, handle, asked) else {
                continue;
            };
            let Some((request, held, own)) = kept.remove(handle) else {
                continue;
            };
            drop(kept);
            self.rescue.take(self.rank, request, held, meant);
            if own {
                // SAFETY: a position in the program's array. The library takes it for complete.
                unsafe {
                    let abi = &self.rank.abi;
                    abi.set_handle(self.requests, i as usize, abi.request_null);
                }
                if matches!(self.which, Which::Some(..)) {
                    self.released.push(i);
                }
            }
            any = true;
            if one {
                break;
            }
        }
        any
    }
}

impl Kept {
    /// A standard send that could be let go: at which count of [`Rescue::polled`] it was posted, and where.
    fn pending(&self, handle: usize) -> Option<(u32, u32)> {
        match self.held.get(&handle) {
            Some(held) => (held.kind == op::SEND).then_some((held.polled, held.place)),
            None => self.persistent.get(&handle)?.pending(),
        }
    }

    /// Takes it out: its request, its copy, and whether the request is one that the program has.
    fn remove(&mut self, handle: usize) -> Option<(usize, Held, bool)> {
        match self.held.remove(&handle) {
            Some(held) => {
                self.gone.insert(handle);
                Some((handle, held, true))
            }
            None => {
                let (request, held) = self.persistent.get_mut(&handle)?.let_go()?;
                Some((request, held, false))
            }
        }
    }
}
