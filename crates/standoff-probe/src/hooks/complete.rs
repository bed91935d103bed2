//! Waiting for requests.

use super::gathered::{
    About, How, address, all_done, chosen, done, envelope, gather, recorded, some_done,
    some_failed, statuses, tell,
};
use super::{OwnStatus, SUCCESS, failed, note, thread_or, unblock};
use crate::P;
use crate::guard::Call;
use crate::raise::{self, Endable, Withdrawn};
use crate::rank::{Rank, State, ThreadState};
use crate::record::{self, Outcome, Tells};
use crate::rescue::{Completing, Which};
use standoff_board::layout::{Board, flag, op, wait};
use standoff_trace::event::Completion;

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
    record::ahead(rank, thread);
    let endable = Endable::of(rank, thread);
    let rc = match &rank.rescue {
        Some(rescue) if rank.raise.is_some() || rescue.holds(rank, thread, requests) => {
            let which = match kind {
                Completion::Waitall => Which::All(n),
                _ => Which::One,
            };
            let completing = Completing::new(rank, rescue, thread, which, requests, status);
            completing.wait(endable.as_ref())
        }
        _ => real(status),
    };
    let ended = raise::ours(rank, rc);
    if ended && let Some(endable) = &endable {
        give_up(rank, thread, endable, requests, rc);
    }
    let mut section = rank.section();
    let (s, b) = section.parts();
    if rc != SUCCESS {
        if !ended {
            some_failed(s, b, thread);
        }
    } else {
        let about = About {
            kind,
            place,
            requests,
            statuses: status,
        };
        recorded(&call, s, b, thread, &about, &Outcome::All);
    }
    if ended {
        some_done(rank, thread, s, b, status, core::iter::empty());
    } else {
        all_done(rank, thread, s, b, status);
    }
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
    let tells = Tells {
        count: None,
        list: index,
    };
    wait_for_some(call, Completion::Waitany, n, requests, status, tells, real)
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
    let tells = Tells {
        count: Some(outcount),
        list: indices,
    };
    wait_for_some(call, Completion::Waitsome, n, requests, status, tells, real)
}

/// Blocks until any of the requests is done, as the library `tells` when it has succeeded.
#[inline(always)]
fn wait_for_some(
    call: Call,
    kind: Completion,
    n: i32,
    requests: P,
    status: P,
    tells: Tells,
    real: impl FnOnce(P) -> i32,
) -> i32 {
    let rank = call.rank;
    let thread = thread_or!(call, real(status));
    note(rank, thread);
    let (wild, place) = gather(&call, thread, n, requests, How::Blocks(wait::ANY));
    let room = tells.count.map_or(1, |_| n);
    let status = statuses(rank, thread, status, room, wild);
    let endable = Endable::of(rank, thread);
    let rescue = rank.rescue.as_deref();
    let copies = rescue.filter(|r| rank.raise.is_some() || r.holds(rank, thread, requests));
    let waited = |thread: &ThreadState, status| match copies {
        Some(rescue) => {
            let which = Which::Some(n, tells);
            let completing = Completing::new(rank, rescue, thread, which, requests, status);
            completing.wait(endable.as_ref())
        }
        None => real(status),
    };
    let rc = match chosen(rank, thread, requests) {
        Some(list) => tell(rank, &list, requests, tells, status),
        None => loop {
            let held = record::held(rank, thread);
            if held.is_empty() {
                break waited(thread, status);
            }
            let mut found = false;
            let rc = record::masked(rank, &held, n, requests, tells, status, &mut found);
            match rc {
                Some(rc) if found || rc != SUCCESS => break rc,
                Some(_) => {}
                None => break waited(thread, status),
            }
        },
    };
    if rc != SUCCESS {
        failed(rank, rc);
    }
    if raise::ours(rank, rc)
        && let Some(endable) = &endable
    {
        give_up(rank, thread, endable, requests, rc);
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
                let list: Vec<u32> = tells.positions().collect();
                recorded(&call, s, b, thread, &about, &Outcome::Some(&list));
            }
            some_done(rank, thread, s, b, status, tells.positions());
        } else {
            some_done(rank, thread, s, b, status, core::iter::empty());
        }
        unblock(b, thread.slot);
    });
    rc
}

/// Before an error of ours is handed on: the program may free the buffers of the requests. Receives are withdrawn, sends go on as copies; collectives, and what
/// cannot be withdrawn or was not copied, are left as they are.
#[cold]
fn give_up(rank: &Rank, thread: &mut ThreadState, call: &Endable<'_>, requests: P, rc: i32) {
    let comm = raise::comm_of(rank, thread);
    let Some(rescue) = &rank.rescue else { return };
    thread.waits.retain(|&(i, o)| {
        let request = address(rank, requests, i as usize) as P;
        let (kind, half) = rank.quiet(|_, b| {
            let o = &b.ops[o as usize];
            (o.kind, o.other_half().is_some())
        });
        let mut own = OwnStatus::new();
        let status = own.or(rank, rank.abi.status_ignore as P);
        match kind {
            // It cannot be withdrawn without its send.
            op::RECV if half => return true,
            op::RECV => match raise::withdraw(rank, request, status) {
                // The library has filled in the status.
                Withdrawn::Received(_) => rank.change(|s, b| {
                    let from = envelope(rank, status, 0);
                    done(rank, s, b, o, from);
                }),
                Withdrawn::Gone => rank.change(|s, b| gone(s, b, o)),
                Withdrawn::Stays => return true,
            },
            op::SEND | op::SSEND | op::RSEND if rescue.freed(rank, request) => {
                rank.change(|s, b| gone(s, b, o));
            }
            _ => return true,
        }
        false
    });
    call.error(comm, rc);
}

/// Forgets a request that will do nothing more.
fn gone(s: &mut State, b: &mut Board, o: u32) {
    let entry = &mut b.ops[o as usize];
    entry.waiter = 0;
    if entry.flags & flag::PERSISTENT == 0 {
        s.drop_op(b, o);
    } else {
        entry.flags |= flag::INACTIVE;
    }
}
