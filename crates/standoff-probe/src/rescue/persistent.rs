//! Persistent standard sends.
//!
//! A program may keep its persistent handle in several places, so the handle cannot be exchanged for another. Instead the request stays
//! inactive as far as the library knows: each start posts a nonblocking send of a copy, of which only we know, and the calls that
//! complete requests ([`super::requests`]) ask that one first. When it is over, the library's own wait or test finds an inactive request,
//! for which it returns at once with an empty status, as it may for a send.

use super::copy::Copy;
use super::functions::Functions;
use super::{Held, Rescue, Send};
use crate::P;
use crate::hooks::{SUCCESS, address};
use crate::rank::Rank;
use crate::record::Data;
use standoff_board::layout::op;
use std::sync::atomic::Ordering;

/// A persistent standard send, as it was made.
pub(super) struct Persistent {
    /// Its type is a duplicate of ours: the program may free its own.
    send: Send,
    /// What the communicator was then: its handle may be another's when it has been freed.
    comm: u64,
    live: Option<Live>,
}

/// A start whose completion the program has not been told.
enum Live {
    /// Request and copy; what [`Rescue::polled`] was.
    Posted(usize, Copy, u32),
    Over,
}

impl Persistent {
    /// Whether the program waits for it.
    pub fn live(&self) -> bool {
        self.live.is_some()
    }

    /// Asks the library. Whether it is over, and how many bytes of copies became free by that.
    pub fn progress(&mut self, f: &Functions, ignore: P) -> (bool, usize) {
        match &mut self.live {
            Some(Live::Posted(request, copy, _)) => {
                let (rc, done) = f.test(request, ignore);
                // One that failed has ended, too.
                if !done && rc == SUCCESS {
                    return (false, 0);
                }
                let freed = copy.cost;
                self.live = Some(Live::Over);
                (true, freed)
            }
            _ => (true, 0),
        }
    }

    /// The program is told that it is over.
    pub fn told(&mut self) {
        self.live = None;
    }

    /// What [`Rescue::polled`] was at its start, and the place of that, while it is not over.
    pub fn pending(&self) -> Option<(u32, u32)> {
        match self.live {
            Some(Live::Posted(.., polled)) => Some((polled, self.send.place)),
            _ => None,
        }
    }

    /// Its request and copy, if it is not over. From now on it is.
    pub fn let_go(&mut self) -> Option<(usize, Held)> {
        match self.live.replace(Live::Over) {
            Some(Live::Posted(request, copy, polled)) => {
                Some((request, self.send.held(copy, polled)))
            }
            before => {
                self.live = before;
                None
            }
        }
    }
}

/// What the communicator of a handle is, for all time.
fn identity(rank: &Rank, comm: usize) -> Option<u64> {
    rank.quiet(|s, b| {
        let c = s.comm(rank.abi.handle(comm))?;
        Some(b.comms.get(c as usize)?.id)
    })
}

impl Rescue {
    /// A successful `MPI_Send_init` has stored a handle at `request`.
    pub fn made(&self, rank: &Rank, send: Send, request: P) {
        if !self.returns || send.kind != op::SEND {
            return;
        }
        let Some(comm) = identity(rank, send.comm) else {
            return;
        };
        let Some(dtype) = self.functions.duplicate(rank, send.data.dtype) else {
            return;
        };
        let send = Send {
            data: Data { dtype, ..send.data },
            ..send
        };
        // SAFETY: as said.
        let handle = unsafe { rank.abi.handle_at(request, 0) };
        let live = None;
        let new = Persistent { send, comm, live };
        self.kept().persistent.insert(handle, new);
    }

    /// Whether starts are to be looked at.
    pub fn persists(&self) -> bool {
        !self.kept().persistent.is_empty()
    }

    /// `MPI_Start` and `MPI_Startall`, one by one: what comes first is sent first.
    pub fn start(&self, rank: &Rank, n: i32, requests: P, place: u32) -> i32 {
        self.sweep(rank);
        for i in 0..n.max(0) as usize {
            // SAFETY: the program gives `n` requests.
            let handle = unsafe { rank.abi.handle_at(requests, i) };
            let rc = self.begin(rank, handle, place).unwrap_or_else(|| {
                let request = address(rank, requests, i) as P;
                self.functions.start(request)
            });
            if rc != SUCCESS {
                return rc;
            }
        }
        SUCCESS
    }

    /// Posts a copy in place of a persistent send; `None`: it is to be left to the library.
    fn begin(&self, rank: &Rank, handle: usize, place: u32) -> Option<i32> {
        let (send, comm) = {
            let mut kept = self.kept();
            let persistent = kept.persistent.get_mut(&handle)?;
            persistent.send.place = place;
            (persistent.send, persistent.comm)
        };
        if identity(rank, send.comm) != Some(comm) {
            return None;
        }
        let copy = self.copy(rank, &send)?;
        let mut request = rank.abi.request_null;
        let rc = self
            .functions
            .isend(&copy, &send, (&raw mut request).cast());
        let mut kept = self.kept();
        if rc != SUCCESS {
            kept.used -= copy.cost;
            return Some(rc);
        }
        let polled = self.polled.load(Ordering::Acquire);
        kept.persistent.get_mut(&handle)?.live = Some(Live::Posted(request, copy, polled));
        Some(rc)
    }

    /// A persistent send is over at once, if it is one of ours that the program has started.
    pub fn let_go(&self, rank: &Rank, handle: usize) -> bool {
        let mut kept = self.kept();
        let Some(persistent) = kept.persistent.get_mut(&handle).filter(|p| p.live()) else {
            return false;
        };
        let gone = persistent.let_go();
        drop(kept);
        if let Some((request, held)) = gone {
            self.take(rank, request, held, false);
        }
        true
    }

    /// As [`Rescue::let_go`], all of them.
    pub fn let_all_go(&self, rank: &Rank) {
        let mut kept = self.kept();
        let gone = kept.persistent.values_mut();
        let gone: Vec<_> = gone.filter_map(Persistent::let_go).collect();
        drop(kept);
        for (request, held) in gone {
            self.take(rank, request, held, false);
        }
    }

    /// The program frees the request; what was started goes on.
    pub fn forget(&self, handle: usize) {
        let mut kept = self.kept();
        if let Some(mut persistent) = kept.persistent.remove(&handle) {
            let gone = persistent.let_go();
            kept.taken
                .extend(gone.map(|(request, held)| (request, held.copy)));
            drop(kept);
            self.functions.free_type(persistent.send.data.dtype);
        }
    }

    /// The program has come to its end.
    pub(super) fn forget_all(&self) {
        let handles: Vec<usize> = self.kept().persistent.keys().copied().collect();
        for handle in handles {
            self.forget(handle);
        }
    }
}
