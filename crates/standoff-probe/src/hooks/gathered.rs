//! The requests of a call that waits for or tests some: looked up before it, counted and forgotten after it.

use super::groups::library;
use super::{SUCCESS, failed_message, registers};
use crate::P;
use crate::guard::Call;
use crate::place::passed;
use crate::rank::{Rank, State, ThreadState};
use crate::record::{self, Outcome, Tells};
use standoff_board::layout::{ANY, Board, Envelope, Op, flag, op, wait};
use standoff_trace::event::Completion;

/// What a call does with its requests' entries.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum How {
    /// Blocks until all (or any) are done.
    Blocks(u32),
    /// Polls.
    Polls,
}

/// Looks the requests of a call up, in `thread.waits`. True if the library must tell the source or tag of one of them.
#[inline(always)]
pub(super) fn gather(
    call: &Call,
    thread: &mut ThreadState,
    n: i32,
    requests: P,
    how: How,
) -> (bool, u32) {
    let rank = call.rank;
    let regs = registers();
    thread.waits.clear();
    let mut wild = false;
    let mut place = 0;
    let look = |s: &mut State, b: &mut Board| {
        let mut unknown = 0;
        for i in 0..n.max(0) as usize {
            // SAFETY: the program gives `n` requests.
            let handle = unsafe { rank.abi.handle_at(requests, i) };
            if handle == rank.abi.request_null {
                continue;
            }
            let found = s
                .ops
                .get(handle as u64)
                .and_then(|o| Some((o, b.ops.get_mut(o as usize)?)));
            let Some((o, entry)) = found else {
                // To all of several it does not matter; one that is complete ends a wait for any.
                unknown += u32::from(how != How::Blocks(wait::ALL) || !s.nulls.contains(&handle));
                if s.recorder.is_some() {
                    s.forget_null(address(rank, requests, i), handle);
                }
                continue;
            };
            if entry.flags & flag::INACTIVE != 0 {
                continue;
            }
            wild |= entry.kind == op::RECV
                && (entry.peer == ANY || entry.tag == ANY || entry.flags & flag::CANCELLED != 0);
            if how != How::Polls {
                entry.waiter = thread.slot as u32 + 1;
                if let Some(half) = entry.other_half().and_then(|h| b.ops.get_mut(h as usize)) {
                    half.waiter = thread.slot as u32 + 1;
                }
            }
            thread.waits.push((i as u32, o));
        }
        if how != How::Polls {
            place = passed(call, b, thread, Envelope::NONE);
        } else {
            place = record::place_of(call, s, b, thread);
        }
        if let (How::Blocks(kind), Some(t)) = (how, b.threads.get_mut(thread.slot)) {
            t.wait = kind;
            t.function = call.function;
            t.unknown = unknown;
            t.inline_used = 0;
            t.registers = regs;
            super::end_polls(t);
        }
    };
    if how == How::Polls {
        rank.quiet(look)
    } else {
        rank.change(look)
    }
    (wild, place)
}

/// Where the program keeps its `i`-th request.
pub(crate) fn address(rank: &Rank, requests: P, i: usize) -> usize {
    requests as usize
        + i * if rank.abi.small_handles {
            4
        } else {
            size_of::<usize>()
        }
}

/// The request at `position` is done: counts what it received and forgets it.
#[inline(always)]
pub(super) fn done(rank: &Rank, s: &mut State, b: &mut Board, o: u32, status: Option<(i32, i32)>) {
    let Some(entry) = b.ops.get_mut(o as usize) else {
        return;
    };
    let e: Op = *entry;
    entry.waiter = 0;
    match e.kind {
        op::RECV if e.flags & flag::HALF != 0 => super::isendrecv::done(rank, s, b, &e, status),
        op::RECV if e.comm != 0 && e.flags & flag::CANCELLED == 0 => {
            let (source, tag) = status.unwrap_or((e.peer, e.tag));
            if source == ANY && tag == ANY {
                crate::rank::taint(b, "a receive whose source could not be told");
            } else {
                s.count(b, true, e.comm - 1, source, tag);
            }
        }
        op::RECV if e.comm != 0 => cancelled(s, b, &e, status),
        op::COLLECTIVE if !s.later.is_empty() => super::comm::arrived(rank, s, b, o),
        _ => {}
    }
    if matches!(e.kind, op::SEND | op::SSEND | op::RSEND)
        && let Some(rescue) = &rank.rescue
    {
        rescue.completed(s.handles[o as usize]);
    }
    if e.flags & flag::PERSISTENT != 0 {
        if let Some(entry) = b.ops.get_mut(o as usize) {
            entry.flags |= flag::INACTIVE;
        }
    } else {
        s.drop_op(b, o);
    }
}

/// What [`told`] gives for a receive that was cancelled: it took no message.
const NOTHING: (i32, i32) = (ANY, ANY);

/// A receive that was asked to be cancelled may have received all the same, as its status tells. Without that, what is in flight on its channels
/// is not known.
#[cold]
pub(super) fn cancelled(s: &mut State, b: &mut Board, e: &Op, status: Option<(i32, i32)>) {
    match (status, e.peer) {
        (Some(NOTHING), _) => {}
        (Some((source, tag)), _) => drop(s.count(b, true, e.comm - 1, source, tag)),
        (None, ANY) => crate::rank::taint(b, "a cancelled receive from any source"),
        (None, peer) => s.mark_unknown(b, true, e.comm - 1, peer),
    }
}

/// Whether the `i`-th status says that its operation was cancelled.
#[cold]
fn was_cancelled(rank: &Rank, statuses: P, i: usize) -> Option<bool> {
    if statuses as usize == rank.abi.status_ignore {
        return None;
    }
    let test = library!(c"PMPI_Test_cancelled", fn(P, *mut i32))?;
    let mut flag = 0;
    // SAFETY: MPI's signature, which is local; an array of at least i + 1 statuses that the library has filled in.
    let rc = unsafe { test(statuses.byte_add(i * rank.abi.status_size), &raw mut flag) };
    (rc == SUCCESS).then_some(flag != 0)
}

/// Statuses for the call: the program's, or this thread's own if it ignores them and `wild` asks for them.
#[inline(always)]
pub(super) fn statuses(rank: &Rank, thread: &mut ThreadState, given: P, n: i32, wild: bool) -> P {
    if !wild || given as usize != rank.abi.status_ignore {
        return given;
    }
    let words = (n.max(1) as usize) * rank.abi.status_size / 8 + 1;
    if thread.statuses.len() < words {
        // Grows to the longest array that the program waits for.
        thread.statuses.resize(words, 0);
    }
    thread.statuses.as_mut_ptr().cast()
}

/// Source and tag in the `i`-th status, if statuses are there.
#[inline(always)]
pub(super) fn envelope(rank: &Rank, statuses: P, i: usize) -> Option<(i32, i32)> {
    if statuses as usize == rank.abi.status_ignore {
        return None;
    }
    // SAFETY: an array of at least i + 1 statuses that the library has filled in.
    Some(unsafe {
        rank.abi
            .envelope(statuses.byte_add(i * rank.abi.status_size))
    })
}

/// What a finished receive's status says, or `None` if its envelope is known beforehand; [`NOTHING`] of one that was cancelled.
#[inline(always)]
fn told(rank: &Rank, b: &Board, o: u32, statuses: P, i: usize) -> Option<(i32, i32)> {
    let e = b.ops.get(o as usize)?;
    if e.kind == op::RECV && e.flags & flag::CANCELLED != 0 {
        return match was_cancelled(rank, statuses, i)? {
            true => Some(NOTHING),
            false => envelope(rank, statuses, i),
        };
    }
    (e.kind == op::RECV && (e.peer == ANY || e.tag == ANY))
        .then(|| envelope(rank, statuses, i))
        .flatten()
}

/// Records the call, before its requests are forgotten.
pub(super) fn recorded(
    call: &Call,
    s: &mut State,
    b: &mut Board,
    thread: &mut ThreadState,
    about: &About,
    outcome: &Outcome<'_>,
) {
    if s.recorder.is_none() {
        return;
    }
    let rank = call.rank;
    let size = if rank.abi.small_handles {
        4
    } else {
        size_of::<usize>()
    };
    let told = |b: &Board, o: u32, i: usize| {
        let cancelled = |o: &Op| o.flags & flag::CANCELLED != 0;
        match b.ops.get(o as usize).is_some_and(cancelled) {
            true => None,
            false => told(rank, b, o, about.statuses, i),
        }
    };
    let &About {
        kind,
        place,
        requests,
        ..
    } = about;
    record::completion(s, b, thread, kind, place, requests, size, outcome, told);
}

/// A completion call, for its record.
pub(super) struct About {
    pub kind: Completion,
    pub place: u32,
    pub requests: P,
    pub statuses: P,
}

/// All requests of the call are done.
#[inline(always)]
pub(super) fn all_done(
    rank: &Rank,
    thread: &ThreadState,
    s: &mut State,
    b: &mut Board,
    statuses: P,
) {
    for &(i, o) in &thread.waits {
        let status = told(rank, b, o, statuses, i as usize);
        done(rank, s, b, o, status);
    }
}

/// Those of the requests at the given positions of the array are done, the others wait no more.
pub(super) fn some_done(
    rank: &Rank,
    thread: &ThreadState,
    s: &mut State,
    b: &mut Board,
    statuses: P,
    positions: impl Iterator<Item = u32>,
) {
    for (k, position) in positions.enumerate() {
        // Gathered in the order of the array.
        if let Ok(w) = thread.waits.binary_search_by_key(&position, |w| w.0) {
            let o = thread.waits[w].1;
            let status = told(rank, b, o, statuses, k);
            done(rank, s, b, o, status);
        }
    }
    for &(_, o) in &thread.waits {
        if let Some(entry) = b
            .ops
            .get_mut(o as usize)
            .filter(|e| e.waiter == thread.slot as u32 + 1)
        {
            entry.waiter = 0;
            if let Some(half) = entry.other_half().and_then(|h| b.ops.get_mut(h as usize)) {
                half.waiter = 0;
            }
        }
    }
}

/// Of the call's requests, some failed, and some may still be pending. All are forgotten; nothing is concluded from their
/// channels any more.
#[cold]
pub(super) fn some_failed(s: &mut State, b: &mut Board, thread: &ThreadState) {
    if super::own(b, thread.slot).unknown != 0 {
        crate::rank::taint(b, "an MPI call returned an error");
    }
    for &(_, o) in &thread.waits {
        if let Some(&e) = b.ops.get(o as usize) {
            failed_message(s, b, e.kind, e.envelope());
            if let Some(&half) = e.other_half().and_then(|h| b.ops.get(h as usize)) {
                failed_message(s, b, half.kind, half.envelope());
            }
        }
    }
}

/// In a forced run: the positions that the call is to tell.
#[inline(always)]
pub(super) fn chosen(rank: &Rank, thread: &ThreadState, requests: P) -> Option<Vec<u32>> {
    record::told(rank, thread, |position| {
        address(rank, requests, position as usize)
    })
}

/// In a forced run: waits for the requests at these positions, and tells them.
#[cold]
pub(super) fn tell(rank: &Rank, list: &[u32], requests: P, tells: Tells, statuses: P) -> i32 {
    let Some(wait) = library!(c"PMPI_Wait", fn(P, P)) else {
        return 1;
    };
    for (k, &position) in list.iter().enumerate() {
        let status = match statuses as usize == rank.abi.status_ignore {
            true => statuses,
            false => statuses.wrapping_byte_add(k * rank.abi.status_size),
        };
        let request = address(rank, requests, position as usize) as P;
        // SAFETY: MPI's signature; a request of the program's, which the call could have completed.
        let rc = unsafe { wait(request, status) };
        if rc != SUCCESS {
            return rc;
        }
    }
    tells.put(rank, list);
    SUCCESS
}
