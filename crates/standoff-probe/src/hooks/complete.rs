//! Waiting for, testing, cancelling and freeing requests.

use super::{SUCCESS, failed, fruitless, not_polling, note, registers, thread_or, unblock};
use crate::P;
use crate::guard::Call;
use crate::place::passed;
use crate::rank::{Rank, State, ThreadState};
use crate::record::{self, Outcome};
use standoff_board::layout::{ANY, Board, Envelope, Op, flag, op, poll, wait};
use standoff_trace::Event;
use standoff_trace::event::Completion;

/// What a call does with its requests' entries.
#[derive(Clone, Copy, PartialEq)]
enum How {
    /// Blocks until all (or any) are done.
    Blocks(u32),
    /// Polls.
    Polls,
}

/// Looks the requests of a call up, in `thread.waits`. True if the library must tell the source or tag of one of them.
#[inline(always)]
fn gather(call: &Call, thread: &mut ThreadState, n: i32, requests: P, how: How) -> (bool, u32) {
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
                unknown += 1;
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
fn address(rank: &Rank, requests: P, i: usize) -> usize {
    requests as usize
        + i * if rank.abi.small_handles {
            4
        } else {
            size_of::<usize>()
        }
}

/// The request at `position` is done: counts what it received and forgets it.
#[inline(always)]
fn done(rank: &Rank, s: &mut State, b: &mut Board, o: u32, status: Option<(i32, i32)>) {
    let Some(entry) = b.ops.get_mut(o as usize) else {
        return;
    };
    let e: Op = *entry;
    entry.waiter = 0;
    match e.kind {
        op::RECV if e.comm != 0 && e.flags & flag::CANCELLED == 0 => {
            let (source, tag) = status.unwrap_or((e.peer, e.tag));
            if source == ANY && tag == ANY {
                crate::rank::taint(b, "a receive whose source could not be told");
            } else {
                s.count(b, true, e.comm - 1, source, tag);
            }
        }
        op::RECV if e.comm != 0 => cancelled(s, b, &e),
        op::COLLECTIVE if !s.later.is_empty() => super::comm::arrived(rank, s, b, o),
        _ => {}
    }
    if e.flags & flag::PERSISTENT != 0 {
        if let Some(entry) = b.ops.get_mut(o as usize) {
            entry.flags |= flag::INACTIVE;
        }
    } else {
        s.drop_op(b, o);
    }
}

/// A receive that was asked to be cancelled may have received all the same (its status has no envelope that could be told from a
/// real one on every library): then what is in flight on its channels is not known.
#[cold]
fn cancelled(s: &mut State, b: &mut Board, e: &Op) {
    match e.peer {
        ANY => crate::rank::taint(b, "a cancelled receive from any source"),
        peer => s.mark_unknown(b, true, e.comm - 1, peer),
    }
}

/// Statuses for the call: the program's, or this thread's own if it ignores them and `wild` asks for them.
#[inline(always)]
fn statuses(rank: &Rank, thread: &mut ThreadState, given: P, n: i32, wild: bool) -> P {
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
fn envelope(rank: &Rank, statuses: P, i: usize) -> Option<(i32, i32)> {
    if statuses as usize == rank.abi.status_ignore {
        return None;
    }
    // SAFETY: an array of at least i + 1 statuses that the library has filled in.
    Some(unsafe {
        rank.abi
            .envelope(statuses.byte_add(i * rank.abi.status_size))
    })
}

/// What a finished receive's status says, or `None` if its envelope is known beforehand.
#[inline(always)]
fn told(rank: &Rank, b: &Board, o: u32, statuses: P, i: usize) -> Option<(i32, i32)> {
    let e = b.ops.get(o as usize)?;
    (e.kind == op::RECV && (e.peer == ANY || e.tag == ANY))
        .then(|| envelope(rank, statuses, i))
        .flatten()
}

/// Records the call, before its requests are forgotten.
fn recorded(
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
struct About {
    kind: Completion,
    place: u32,
    requests: P,
    statuses: P,
}

/// All requests of the call are done.
#[inline(always)]
fn all_done(rank: &Rank, thread: &ThreadState, s: &mut State, b: &mut Board, statuses: P) {
    for &(i, o) in &thread.waits {
        let status = told(rank, b, o, statuses, i as usize);
        done(rank, s, b, o, status);
    }
}

/// Those of the requests at the given positions of the array are done, the others wait no more.
fn some_done(
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
        }
    }
}

/// `MPI_Wait`.
#[inline(always)]
pub(crate) fn wait(call: Call, request: P, status: P, real: impl FnOnce(P) -> i32) -> i32 {
    wait_for_all(call, Completion::Wait, 1, request, status, real)
}

/// `MPI_Waitall`.
#[inline(always)]
pub(crate) fn waitall(
    call: Call,
    n: i32,
    requests: P,
    status: P,
    real: impl FnOnce(P) -> i32,
) -> i32 {
    wait_for_all(call, Completion::Waitall, n, requests, status, real)
}

#[inline(always)]
fn wait_for_all(
    call: Call,
    kind: Completion,
    n: i32,
    requests: P,
    status: P,
    real: impl FnOnce(P) -> i32,
) -> i32 {
    let rank = call.rank;
    let thread = thread_or!(call, real(status));
    note(rank, thread);
    let (wild, place) = gather(&call, thread, n, requests, How::Blocks(wait::ALL));
    let status = statuses(rank, thread, status, n, wild);
    let rc = real(status);
    if rc != SUCCESS {
        failed(rank);
    }
    let mut section = rank.section();
    let (s, b) = section.parts();
    if rc == SUCCESS {
        let about = About {
            kind,
            place,
            requests,
            statuses: status,
        };
        recorded(&call, s, b, thread, &about, &Outcome::All);
    }
    all_done(rank, thread, s, b, status);
    unblock(b, thread.slot);
    drop(section);
    rc
}

/// `MPI_Waitany`.
pub(crate) fn waitany(
    call: Call,
    n: i32,
    requests: P,
    index: P,
    status: P,
    real: impl FnOnce(P) -> i32,
) -> i32 {
    wait_for_some(
        call,
        Completion::Waitany,
        n,
        requests,
        status,
        1,
        || one(index),
        real,
    )
}

/// `MPI_Waitsome`.
pub(crate) fn waitsome(
    call: Call,
    n: i32,
    requests: P,
    outcount: P,
    indices: P,
    status: P,
    real: impl FnOnce(P) -> i32,
) -> i32 {
    let given = || several(outcount, indices);
    wait_for_some(
        call,
        Completion::Waitsome,
        n,
        requests,
        status,
        n,
        given,
        real,
    )
}

/// Blocks until any of the requests is done. The program gives room for `room` statuses; `given` are the positions that the
/// library tells when it has succeeded.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // MPI's, and what they mean
fn wait_for_some<I: Iterator<Item = u32>>(
    call: Call,
    kind: Completion,
    n: i32,
    requests: P,
    status: P,
    room: i32,
    given: impl Fn() -> I,
    real: impl FnOnce(P) -> i32,
) -> i32 {
    let rank = call.rank;
    let thread = thread_or!(call, real(status));
    note(rank, thread);
    let (wild, place) = gather(&call, thread, n, requests, How::Blocks(wait::ANY));
    let status = statuses(rank, thread, status, room, wild);
    let rc = real(status);
    if rc != SUCCESS {
        failed(rank);
    }
    rank.change(|s, b| {
        if rc == SUCCESS {
            if s.recorder.is_some() {
                let about = About {
                    kind,
                    place,
                    requests,
                    statuses: status,
                };
                let list: Vec<u32> = given().collect();
                recorded(&call, s, b, thread, &about, &Outcome::Some(&list));
            }
            some_done(rank, thread, s, b, status, given());
        } else {
            some_done(rank, thread, s, b, status, core::iter::empty());
        }
        unblock(b, thread.slot);
    });
    rc
}

/// The position that Waitany or Testany gave.
fn one(index: P) -> impl Iterator<Item = u32> {
    // SAFETY: the library has stored the index (negative: MPI_UNDEFINED).
    let i = unsafe { index.cast::<i32>().read_unaligned() };
    u32::try_from(i).ok().into_iter()
}

/// The positions that Waitsome or Testsome gave.
fn several(outcount: P, indices: P) -> impl Iterator<Item = u32> {
    // SAFETY: the library has stored the count (negative: MPI_UNDEFINED).
    let n = unsafe { outcount.cast::<i32>().read_unaligned() };
    // SAFETY: and so many indices.
    (0..n.max(0) as usize).map(move |k| unsafe { indices.cast::<u32>().add(k).read_unaligned() })
}

/// A poll found nothing.
#[inline(always)]
fn nothing(call: &Call, thread: &ThreadState, b: &mut Board, regs: [u64; 3]) {
    fruitless(
        call.rank,
        b,
        thread.slot,
        call.function,
        poll::REQUESTS,
        regs,
    );
    let round = b.threads[thread.slot].poll_round;
    for &(_, o) in &thread.waits {
        if let Some(entry) = b.ops.get_mut(o as usize) {
            entry.polled = round;
            entry.waiter = 0;
        }
    }
}

/// `MPI_Test`.
#[inline(always)]
pub(crate) fn test(call: Call, request: P, flag: P, status: P, real: impl FnOnce(P) -> i32) -> i32 {
    test_all(call, Completion::Test, 1, request, flag, status, real)
}

/// `MPI_Testall`.
#[inline(always)]
pub(crate) fn testall(
    call: Call,
    n: i32,
    requests: P,
    flag: P,
    status: P,
    real: impl FnOnce(P) -> i32,
) -> i32 {
    test_all(call, Completion::Testall, n, requests, flag, status, real)
}

#[inline(always)]
fn test_all(
    call: Call,
    kind: Completion,
    n: i32,
    requests: P,
    flag: P,
    status: P,
    real: impl FnOnce(P) -> i32,
) -> i32 {
    let rank = call.rank;
    let thread = thread_or!(call, real(status));
    let (wild, place) = gather(&call, thread, n, requests, How::Polls);
    let status = statuses(rank, thread, status, n, wild);
    let rc = real(status);
    if rc != SUCCESS {
        failed(rank);
        return rc;
    }
    let regs = registers();
    let about = About {
        kind,
        place,
        requests,
        statuses: status,
    };
    // SAFETY: the library has set the flag.
    if unsafe { flag.cast::<i32>().read_unaligned() } != 0 {
        rank.change(|s, b| {
            recorded(&call, s, b, thread, &about, &Outcome::All);
            all_done(rank, thread, s, b, status);
            not_polling(b, thread.slot);
        });
    } else {
        rank.quiet(|s, b| {
            recorded(&call, s, b, thread, &about, &Outcome::Nothing);
            nothing(&call, thread, b, regs);
        });
    }
    rc
}

/// `MPI_Testany`.
#[allow(clippy::too_many_arguments)] // MPI's
pub(crate) fn testany(
    call: Call,
    n: i32,
    requests: P,
    index: P,
    flag: P,
    status: P,
    real: impl FnOnce(P) -> i32,
) -> i32 {
    test_some(
        call,
        Completion::Testany,
        n,
        requests,
        flag,
        status,
        1,
        || one(index),
        real,
    )
}

/// `MPI_Testsome`.
#[allow(clippy::too_many_arguments)] // MPI's
pub(crate) fn testsome(
    call: Call,
    n: i32,
    requests: P,
    outcount: P,
    indices: P,
    status: P,
    real: impl FnOnce(P) -> i32,
) -> i32 {
    let given = || several(outcount, indices);
    test_some(
        call,
        Completion::Testsome,
        n,
        requests,
        outcount,
        status,
        n,
        given,
        real,
    )
}

/// Asks whether any of the requests is done: one is if `hit`, a flag or count, is not 0. The rest as in [`wait_for_some`].
#[allow(clippy::too_many_arguments)] // MPI's, and what they mean
#[inline(always)]
fn test_some<I: Iterator<Item = u32>>(
    call: Call,
    kind: Completion,
    n: i32,
    requests: P,
    hit: P,
    status: P,
    room: i32,
    given: impl Fn() -> I,
    real: impl FnOnce(P) -> i32,
) -> i32 {
    let rank = call.rank;
    let thread = thread_or!(call, real(status));
    let (wild, place) = gather(&call, thread, n, requests, How::Polls);
    let status = statuses(rank, thread, status, room, wild);
    let rc = real(status);
    if rc != SUCCESS {
        failed(rank);
        return rc;
    }
    let regs = registers();
    let about = About {
        kind,
        place,
        requests,
        statuses: status,
    };
    // SAFETY: the library has set it.
    if unsafe { hit.cast::<i32>().read_unaligned() } != 0 {
        rank.change(|s, b| {
            if s.recorder.is_some() {
                let list: Vec<u32> = given().collect();
                recorded(&call, s, b, thread, &about, &Outcome::Some(&list));
            }
            some_done(rank, thread, s, b, status, given());
            not_polling(b, thread.slot);
        });
    } else {
        rank.quiet(|s, b| {
            recorded(&call, s, b, thread, &about, &Outcome::Nothing);
            nothing(&call, thread, b, regs);
        });
    }
    rc
}

/// `MPI_Cancel`.
pub(crate) fn cancel(call: Call, request: P, real: impl FnOnce() -> i32) -> i32 {
    let rank = call.rank;
    // SAFETY: the program gives a request.
    let handle = unsafe { rank.abi.handle_at(request, 0) };
    rank.change(|s, b| {
        let Some(o) = s.ops.get(handle as u64) else {
            return;
        };
        let Some(e) = b.ops.get_mut(o as usize) else {
            return;
        };
        e.flags |= flag::CANCELLED;
        let e = *e;
        if let Some(thread) = call.thread().filter(|_| s.recorder.is_some()) {
            let place = crate::place::look(&call, b, thread);
            match s.identity(b, request as usize, o) {
                Some(id) => s.record(b, thread.slot, place, Event::Cancel(id)),
                None => s.record_lost(b, "a cancelled send whose request is not known"),
            }
        }
        if matches!(e.kind, op::SEND | op::SSEND | op::BSEND | op::RSEND) && e.comm != 0 {
            // Whether it will be withdrawn or not cannot be told in time.
            s.mark_unknown(b, false, e.comm - 1, e.peer);
        }
    });
    let rc = real();
    if rc != SUCCESS {
        failed(rank);
    }
    rc
}

/// `MPI_Request_free`.
pub(crate) fn request_free(call: Call, request: P, real: impl FnOnce() -> i32) -> i32 {
    let rank = call.rank;
    // SAFETY: the program gives a request.
    let handle = unsafe { rank.abi.handle_at(request, 0) };
    rank.change(|s, b| {
        let Some(o) = s.ops.get(handle as u64) else {
            return;
        };
        let Some(e) = b.ops.get(o as usize).copied() else {
            return;
        };
        if e.kind == op::RECV && e.flags & flag::INACTIVE == 0 && e.comm != 0 {
            // It will take its message at a moment that nobody sees.
            match e.peer {
                ANY => crate::rank::taint(b, "a freed receive from any source"),
                p => s.mark_unknown(b, true, e.comm - 1, p),
            }
        }
        if let Some(thread) = call.thread().filter(|_| {
            s.recorder.is_some() && e.kind != op::LOCAL && e.flags & flag::INACTIVE == 0
        }) {
            let place = crate::place::look(&call, b, thread);
            match s.complete(b, o, &[request as usize]) {
                Some(ids) => {
                    for id in ids.into_iter().flatten() {
                        s.record(b, thread.slot, place, Event::RequestFree(id));
                    }
                }
                None => s.record_muddle(b, thread.slot, place),
            }
        }
        s.drop_op(b, o);
    });
    let rc = real();
    if rc != SUCCESS {
        failed(rank);
    }
    rc
}
