//! Procedures that the model does not follow.

use super::{SUCCESS, not_polling, thread_or, unblock};
use crate::P;
use crate::guard::Call;
use standoff_board::functions;
use standoff_board::layout::{Board, wait};
use standoff_trace::Event;

/// Files, windows: the rank may act while it is inside; whoever is released by it is inside one as well.
pub(crate) fn opaque(call: Call, real: impl FnOnce() -> i32) -> i32 {
    let function = call.function;
    let event = |b: &Board| Event::Unmodelled {
        name: functions::name(function).unwrap_or_default().into(),
        acts: b.header.taint != 0,
    };
    inside(call, event, real)
}

fn inside(
    call: Call,
    event: impl FnOnce(&Board) -> Event<'static>,
    real: impl FnOnce() -> i32,
) -> i32 {
    let rank = call.rank;
    let thread = thread_or!(call, real());
    rank.change(|_, b| {
        if let Some(t) = b.threads.get_mut(thread.slot) {
            t.wait = wait::OPAQUE;
            t.function = call.function;
        }
        not_polling(b, thread.slot);
    });
    let rc = real();
    rank.change(|s, b| {
        if s.recorder.is_some() {
            let place = crate::place::look(&call, b, thread);
            let event = event(b);
            s.record(b, thread.slot, place, &event);
        }
        unblock(b, thread.slot);
    });
    rc
}

/// `MPI_Buffer_attach`.
pub(crate) fn attach(call: Call, size: impl Into<i64>, real: impl FnOnce() -> i32) -> i32 {
    // 0 stands for the detaching.
    let bytes = size.into().max(1) as u64;
    inside(call, |_| Event::Buffer { bytes }, real)
}

/// `MPI_Buffer_detach`: may wait until what is in the buffer is delivered.
pub(crate) fn detach(call: Call, real: impl FnOnce() -> i32) -> i32 {
    inside(call, |_| Event::Buffer { bytes: 0 }, real)
}

/// `MPI_Request_get_status` and its kin, which complete nothing. The library knows nothing of persistent sends that went out as copies: these are over from here on.
pub(crate) fn get_status(call: Call, real: impl FnOnce() -> i32) -> i32 {
    if let Some(rescue) = &call.rank.rescue {
        rescue.let_all_go(call.rank);
    }
    opaque(call, real)
}

/// `MPI_Comm_get_parent`: local; without a parent there is nothing to follow.
pub(crate) fn get_parent(call: Call, parent: P, real: impl FnOnce() -> i32) -> i32 {
    let rc = real();
    // SAFETY: a successful call has stored a handle there.
    if rc == SUCCESS && unsafe { call.rank.abi.handle_at(parent, 0) } == call.rank.abi.comm_null {
        return rc;
    }
    opaque(call, || rc)
}

/// Can send, complete or connect in ways that are not followed: the rank may act from now on.
pub(crate) fn taint(call: Call, name: &str, real: impl FnOnce() -> i32) -> i32 {
    call.rank.taint(name);
    opaque(call, real)
}
