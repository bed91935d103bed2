//! Cancelling and freeing requests.

use super::{SUCCESS, failed, not_polling};
use crate::P;
use crate::guard::Call;
use standoff_board::layout::{ANY, flag, op};
use standoff_trace::Event;

/// `MPI_Cancel`.
pub(crate) fn cancel(call: Call, request: P, real: impl FnOnce() -> i32) -> i32 {
    let rank = call.rank;
    // SAFETY: the program gives a request.
    let handle = unsafe { rank.abi.handle_at(request, 0) };
    let rescue = rank.rescue.as_ref();
    if rescue.is_some_and(|rescue| rescue.let_go(rank, handle)) {
        // A standard send that is over cannot be withdrawn.
        return SUCCESS;
    }
    let slot = call.thread().map(|thread| thread.slot);
    rank.change(|s, b| {
        if let Some(slot) = slot {
            not_polling(b, slot);
        }
        let Some(o) = s.ops.get(handle as u64) else {
            return;
        };
        let Some(e) = b.ops.get_mut(o as usize) else {
            return;
        };
        e.flags |= flag::CANCELLED;
        let e = *e;
        if let Some(half) = e.other_half().and_then(|h| b.ops.get_mut(h as usize)) {
            half.flags |= flag::CANCELLED;
            let half = *half;
            if half.comm != 0 {
                s.mark_unknown(b, false, half.comm - 1, half.peer);
            }
        }
        if let Some(thread) = call.thread().filter(|_| s.recorder.is_some()) {
            let place = crate::place::look(&call, b, thread);
            match s.identity(b, request as usize, o) {
                Some(id) => s.record(b, thread.slot, place, &Event::Cancel(id)),
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
        failed(rank, rc);
    }
    rc
}

/// `MPI_Request_free`.
pub(crate) fn request_free(call: Call, request: P, real: impl FnOnce() -> i32) -> i32 {
    let rank = call.rank;
    // SAFETY: the program gives a request.
    let handle = unsafe { rank.abi.handle_at(request, 0) };
    let slot = call.thread().map(|thread| thread.slot);
    rank.change(|s, b| {
        if let Some(slot) = slot {
            not_polling(b, slot);
        }
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
            let mut ids = Vec::new();
            if !s.complete(b, o, &[request as usize], &mut ids) {
                s.record_muddle(b, thread.slot, place);
            }
            for id in ids.into_iter().flatten() {
                s.record(b, thread.slot, place, &Event::RequestFree(id));
            }
        }
        if let Some(half) = e.other_half() {
            s.drop_op(b, half);
        }
        if e.is_persistent_collective() {
            s.retire(b, o);
        } else {
            s.drop_op(b, o);
        }
    });
    let ours = rank.rescue.as_ref().is_some_and(|rescue| {
        rescue.forget(handle);
        rescue.freed(rank, request)
    });
    let rc = if ours { SUCCESS } else { real() };
    if rc != SUCCESS {
        failed(rank, rc);
    }
    rc
}
