//! Requests of sends that the library gives one handle (MPICH does, for sends that are complete at once, those to `MPI_PROC_NULL` included).
//!
//! Where the program keeps a request tells it from the others, and a call that completes all of them needs to tell nothing. Otherwise it is not known
//! which one was completed: then none is said to be, and the record says that.

use crate::P;
use crate::rank::State;
use standoff_board::layout::{Board, Op, op};
use standoff_trace::Event;
use standoff_trace::event::RequestId;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Not completed yet, by handle.
pub(super) type Handles = HashMap<u64, Pending, BuildHasherDefault<Mixed>>;

/// Fibonacci hashing, as in [`crate::map`]: handles are no input that anybody would choose to collide.
#[derive(Default)]
pub(super) struct Mixed(u64);

impl Hasher for Mixed {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        // The table takes its groups from the upper bits, and its buckets from the lower ones.
        self.0 ^ self.0 >> 32
    }
}

#[derive(Default)]
pub(super) struct Pending {
    /// Where the program keeps the request; its identity, `None` for a send to `MPI_PROC_NULL`.
    list: Vec<(usize, Option<u64>)>,
    /// Some were completed, and it is not known which.
    muddled: bool,
}

impl Pending {
    /// Position of the request that the program keeps at `at`, if that is certain.
    fn at(&self, at: usize) -> Option<usize> {
        if self.muddled {
            return None;
        }
        let mut here = self.list.iter().enumerate().filter(|(_, e)| e.0 == at);
        match (here.next(), here.next(), self.list.len()) {
            (Some((i, _)), None, _) => Some(i),
            (_, _, 1) => Some(0),
            _ => None,
        }
    }

    /// Takes the requests at these places out. False: not known which they are.
    fn take(&mut self, places: &[usize], into: &mut Vec<Option<RequestId>>) -> bool {
        if !self.muddled && self.list.len() == places.len() {
            into.extend(self.list.drain(..).map(|e| e.1.map(RequestId)));
            return true;
        }
        let found: Option<Vec<usize>> = places.iter().map(|&at| self.at(at)).collect();
        let known = found.filter(|_| !self.muddled);
        if let Some(mut found) = known {
            found.sort_unstable_by(|a, b| b.cmp(a));
            found.dedup();
            let taken = found.into_iter().map(|i| self.list.remove(i).1);
            into.extend(taken.map(|order| order.map(RequestId)));
            true
        } else {
            let left = self.list.len().saturating_sub(places.len());
            self.list.truncate(left);
            self.muddled = left > 0;
            false
        }
    }
}

impl State {
    /// A send's request was posted; `order`: its identity, `None` to `MPI_PROC_NULL`.
    pub fn posted(&mut self, at: P, handle: usize, o: Option<&Op>) {
        if o.is_some_and(|o| matches!(o.kind, op::RECV | op::COLLECTIVE)) {
            return;
        }
        if let Some(recorder) = &mut self.recorder {
            let pending = recorder.shared.entry(handle as u64).or_default();
            pending.list.push((at as usize, o.map(|o| o.order)));
        }
    }

    /// A request of no entry was given to a completion: one of a send to `MPI_PROC_NULL`, if anything.
    pub fn forget_null(&mut self, at: usize, handle: usize) {
        let Some(recorder) = &mut self.recorder else {
            return;
        };
        if let Some(pending) = recorder.shared.get_mut(&(handle as u64)) {
            pending.take(&[at], &mut Vec::new());
        }
    }

    /// The identity of a request that has a handle and an entry to itself, and is an event.
    #[inline]
    pub fn alone(&self, b: &Board, index: u32) -> Option<RequestId> {
        let o = b.ops.get(index as usize)?;
        let recorder = self.recorder.as_ref()?;
        let handle = || Some(*self.handles.get(index as usize)? as u64);
        let shares =
            o.shared > 1 || !recorder.shared.is_empty() && recorder.shared.contains_key(&handle()?);
        let plain = o.other_half().is_none() && o.kind != op::LOCAL;
        (plain && !shares).then_some(RequestId(o.order))
    }

    /// The identities of requests that are complete, all of the entry `index`, at these places of the program; `None`: no event. False if it is
    /// not known which they are.
    pub fn complete(
        &mut self,
        b: &Board,
        index: u32,
        places: &[usize],
        into: &mut Vec<Option<RequestId>>,
    ) -> bool {
        let order = b.ops.get(index as usize).map_or(0, |o| o.order);
        let handle = self.handles.get(index as usize).copied().unwrap_or(0) as u64;
        let Some(recorder) = self.recorder.as_mut() else {
            return false;
        };
        match recorder.shared.get_mut(&handle) {
            Some(pending) if !pending.list.is_empty() => pending.take(places, into),
            _ => {
                into.extend(places.first().map(|_| Some(RequestId(order))));
                true
            }
        }
    }

    /// The identity of a request that is not complete; `None` if it is not known, or none.
    pub fn identity(&self, b: &Board, at: usize, index: u32) -> Option<RequestId> {
        let order = b.ops.get(index as usize).map_or(0, |o| o.order);
        let handle = self.handles.get(index as usize).copied().unwrap_or(0) as u64;
        let recorder = self.recorder.as_ref()?;
        match recorder.shared.get(&handle) {
            Some(pending) if !pending.list.is_empty() => {
                let i = pending.at(at)?;
                pending.list[i].1.map(RequestId)
            }
            _ => Some(RequestId(order)),
        }
    }

    /// The identity of the other half of a request.
    pub fn half_identity(&self, b: &Board, index: u32) -> Option<RequestId> {
        let half = b.ops.get(index as usize)?.other_half()?;
        Some(RequestId(b.ops.get(half as usize)?.order))
    }

    /// Says in the record that it is not known which request was completed.
    pub fn record_muddle(&mut self, b: &mut Board, thread: usize, place: u32) {
        let event = Event::Unmodelled {
            name: "a send whose request the library does not tell from others".into(),
            acts: false,
        };
        self.record(b, thread, place, &event);
    }
}
