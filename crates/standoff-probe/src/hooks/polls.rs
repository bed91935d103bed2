//! Testing requests.

use super::gathered::{
    About, How, address, all_done, chosen, gather, recorded, some_done, statuses, tell,
};
use super::{SUCCESS, failed, fruitless, not_polling, own, registers, thread_or};
use crate::P;
use crate::guard::Call;
use crate::rank::{Rank, ThreadState};
use crate::record::{self, Outcome, Tells};
use crate::rescue::{Completing, Rescue, Which};
use standoff_board::layout::{Board, Op, flag, op, poll};
use standoff_trace::event::{Completion, asks_requests};

/// In a forced run: whether a poll of these requests is to find something.
#[inline(always)]
fn outcome(rank: &Rank, thread: &ThreadState, requests: P) -> Option<bool> {
    record::outcome(rank, |s, b| {
        let silent = |o: &Op| o.kind == op::LOCAL && o.flags & flag::PERSISTENT != 0;
        let waits = thread.waits.iter();
        let waits = waits.filter(|w| !b.ops.get(w.1 as usize).is_some_and(silent));
        asks_requests(waits.flat_map(|w| {
            let own = s.identity(b, address(rank, requests, w.0 as usize), w.1);
            own.into_iter().chain(s.half_identity(b, w.1))
        }))
    })
}

/// Where sends go out from copies, and one of the requests is such a send.
#[inline(always)]
fn copies<'a>(rank: &'a Rank, thread: &ThreadState, requests: P) -> Option<&'a Rescue> {
    let rescue = rank.rescue.as_deref()?;
    rescue.holds(rank, thread, requests).then_some(rescue)
}

/// A poll found nothing. `each`: it was one for all of its requests, not for any.
#[inline(always)]
fn nothing(call: &Call, thread: &mut ThreadState, b: &mut Board, regs: [u64; 3], each: bool) {
    let slot = thread.slot;
    let first = fruitless(call.rank, b, slot, call.function, poll::REQUESTS, regs);
    // The operations in their order, as a number that others will not have.
    let asked = thread.waits.iter().fold(1u64, |asked, &(_, o)| {
        (asked ^ u64::from(o))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29)
    });
    let same = first || asked == thread.polled;
    thread.polled = asked;
    let t = own(b, slot);
    match each && same {
        true if first => t.poll_kind |= poll::EACH,
        true => {}
        false => t.poll_kind &= !poll::EACH,
    }
    let round = t.poll_round;
    for &(_, o) in &thread.waits {
        if let Some(entry) = b.ops.get_mut(o as usize) {
            entry.polled = round;
            entry.waiter = 0;
            if let Some(half) = entry.other_half().and_then(|h| b.ops.get_mut(h as usize)) {
                half.polled = round;
            }
        }
    }
}

/// `MPI_Test`.
#[inline(always)]
pub(crate) fn test(call: Call, request: P, flag: P, status: P, real: impl Fn(P) -> i32) -> i32 {
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
    real: impl Fn(P) -> i32,
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
    real: impl Fn(P) -> i32,
) -> i32 {
    let rank = call.rank;
    let thread = thread_or!(call, real(status));
    let (wild, place) = gather(&call, thread, n, requests, How::Polls);
    let status = statuses(rank, thread, status, n, wild);
    let flag = flag.cast::<i32>();
    // SAFETY: the program gives room for the flag, which the library sets if it is asked.
    let hit = || unsafe { flag.read_unaligned() != 0 };
    let copies = copies(rank, thread, requests);
    let real = || match copies {
        Some(rescue) => {
            let which = match kind {
                Completion::Testall => Which::All(n),
                _ => Which::One,
            };
            let polled = Completing::new(rank, rescue, thread, which, requests, status).poll();
            // SAFETY: as above.
            unsafe { flag.write_unaligned(i32::from(polled.1)) };
            polled.0
        }
        None => real(status),
    };
    let rc = asked(
        outcome(rank, thread, requests),
        real,
        hit,
        || record::held(rank, thread).is_empty(),
        // SAFETY: as above.
        || unsafe { flag.write_unaligned(0) },
    );
    if rc != SUCCESS {
        failed(rank, rc);
        return rc;
    }
    let regs = registers();
    let about = About {
        kind,
        place,
        requests,
        statuses: status,
    };
    if hit() {
        rank.change(|s, b| {
            recorded(&call, s, b, thread, &about, &Outcome::All);
            all_done(rank, thread, s, b, status);
            not_polling(b, thread.slot);
        });
    } else {
        rank.quiet(|s, b| {
            recorded(&call, s, b, thread, &about, &Outcome::Nothing);
            nothing(&call, thread, b, regs, true);
        });
    }
    rc
}

/// Asks the library, unless a forced run has the poll find nothing, or something. While it may not find anything (`free`), it is not asked.
#[inline(always)]
fn asked(
    outcome: Option<bool>,
    real: impl Fn() -> i32,
    hit: impl Fn() -> bool,
    free: impl Fn() -> bool,
    none: impl Fn(),
) -> i32 {
    let mut rc = SUCCESS;
    let once = |rc: &mut i32| {
        if free() {
            *rc = real();
            *rc != SUCCESS || hit()
        } else {
            none();
            false
        }
    };
    match outcome {
        None => drop(once(&mut rc)),
        Some(true) => drop(record::patiently(&mut rc, once)),
        Some(false) => none(),
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
    real: impl Fn(P) -> i32,
) -> i32 {
    let tells = Tells {
        count: None,
        list: index,
    };
    test_some(
        call,
        Completion::Testany,
        n,
        requests,
        flag,
        status,
        tells,
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
    real: impl Fn(P) -> i32,
) -> i32 {
    let tells = Tells {
        count: Some(outcount),
        list: indices,
    };
    test_some(
        call,
        Completion::Testsome,
        n,
        requests,
        outcount,
        status,
        tells,
        real,
    )
}

/// Asks whether any of the requests is done, as the library `tells`: one is if `hit`, a flag or count, is not 0.
#[allow(clippy::too_many_arguments)] // MPI's, and what they mean
#[inline(always)]
fn test_some(
    call: Call,
    kind: Completion,
    n: i32,
    requests: P,
    hit: P,
    status: P,
    tells: Tells,
    real: impl Fn(P) -> i32,
) -> i32 {
    let rank = call.rank;
    let thread = thread_or!(call, real(status));
    let (wild, place) = gather(&call, thread, n, requests, How::Polls);
    let room = tells.count.map_or(1, |_| n);
    let status = statuses(rank, thread, status, room, wild);
    let flag = hit.cast::<i32>();
    // SAFETY: the program gives room for the flag or count, which the library sets if it is asked.
    let hit = || unsafe { flag.read_unaligned() != 0 };
    let say = |found: bool| {
        if found {
            if tells.count.is_none() {
                // SAFETY: as above.
                unsafe { flag.write_unaligned(1) };
            }
        } else {
            tells.put(rank, &[]);
            // SAFETY: as above.
            unsafe { flag.write_unaligned(0) };
        }
    };
    let copies = copies(rank, thread, requests);
    let ask = || {
        if let Some(rescue) = copies {
            let which = Which::Some(n, tells);
            let (rc, found) = Completing::new(rank, rescue, thread, which, requests, status).poll();
            if rc == SUCCESS && (!found || tells.count.is_none()) {
                // SAFETY: as above. A count is told already.
                unsafe { flag.write_unaligned(i32::from(found)) };
            }
            return rc;
        }
        let held = record::held(rank, thread);
        if held.is_empty() {
            return real(status);
        }
        let mut found = false;
        let rc = record::masked(rank, &held, n, requests, tells, status, &mut found);
        say(found);
        rc.unwrap_or(SUCCESS)
    };
    let none = || say(false);
    let rc = match outcome(rank, thread, requests) {
        Some(false) => asked(Some(false), ask, hit, || true, none),
        outcome => match chosen(rank, thread, requests) {
            Some(list) => {
                let rc = tell(rank, &list, requests, tells, status);
                say(rc == SUCCESS);
                rc
            }
            None => asked(outcome, ask, hit, || true, none),
        },
    };
    if rc != SUCCESS {
        failed(rank, rc);
        return rc;
    }
    let regs = registers();
    let about = About {
        kind,
        place,
        requests,
        statuses: status,
    };
    if hit() {
        rank.change(|s, b| {
            if s.recorder.is_some() {
                let list: Vec<u32> = tells.positions().collect();
                recorded(&call, s, b, thread, &about, &Outcome::Some(&list));
            }
            some_done(rank, thread, s, b, status, tells.positions());
            not_polling(b, thread.slot);
        });
    } else {
        rank.quiet(|s, b| {
            recorded(&call, s, b, thread, &about, &Outcome::Nothing);
            nothing(&call, thread, b, regs, false);
        });
    }
    rc
}
