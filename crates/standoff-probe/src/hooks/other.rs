//! Procedures that the model does not follow.

use super::{not_polling, thread_or, unblock};
use crate::guard::Call;
use standoff_board::functions;
use standoff_board::layout::wait;
use standoff_trace::Event;

/// Files, windows: the rank may act while it is inside; whoever is released by it is inside one as well.
pub(crate) fn opaque(call: Call, real: impl FnOnce() -> i32) -> i32 {
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
            let name = functions::name(call.function).unwrap_or_default();
            let event = Event::Unmodelled {
                name: name.into(),
                acts: b.header.taint != 0,
            };
            s.record(b, thread.slot, place, event);
        }
        unblock(b, thread.slot);
    });
    rc
}

/// Can send, complete or connect in ways that are not followed: the rank may act from now on.
pub(crate) fn taint(call: Call, name: &str, real: impl FnOnce() -> i32) -> i32 {
    call.rank.taint(name);
    opaque(call, real)
}
