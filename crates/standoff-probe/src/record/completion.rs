//! Completions: which requests a call completed.

use super::matched;
use crate::P;
use crate::guard::Call;
use crate::rank::{State, ThreadState};
use standoff_board::layout::{Board, Op, flag, op};
use standoff_trace::Event;
use standoff_trace::event::{Completion, Matched, RequestId, Told};
use std::borrow::Cow;

/// How a completion ended.
pub(crate) enum Outcome<'a> {
    /// Nothing was complete.
    Nothing,
    /// All were.
    All,
    /// Those at these positions of the program's array, with the place of their status.
    Some(&'a [u32]),
}

/// Records a completion call on the requests in `thread.waits`, which are still on the board. `told` gives what a receive that asked for any
/// source or tag received, by operation and number of the status.
#[allow(clippy::too_many_arguments)] // what a call was given and told
pub(crate) fn completion(
    s: &mut State,
    b: &mut Board,
    thread: &mut ThreadState,
    kind: Completion,
    place: u32,
    requests: P,
    handle_size: usize,
    outcome: &Outcome<'_>,
    told: impl Fn(&Board, u32, usize) -> Option<(i32, i32)>,
) {
    if s.recorder.is_none() || thread.waits.is_empty() {
        return;
    }
    let slot = thread.slot;
    let scratch = &mut thread.told;
    scratch.requests.clear();
    scratch.all.clear();
    scratch.some.clear();
    for &(position, o) in &thread.waits {
        // A persistent request of MPI_PROC_NULL: its starts are no events.
        let silent = |o: &Op| o.kind == op::LOCAL && o.flags & flag::PERSISTENT != 0;
        if b.ops.get(o as usize).is_some_and(silent) {
            continue;
        }
        let n = scratch.requests.len();
        let (done, status) = match outcome {
            Outcome::Nothing => (false, 0),
            Outcome::All => (true, position as usize),
            Outcome::Some(list) => match list.iter().position(|p| *p == position) {
                Some(k) => (true, k),
                None => (false, 0),
            },
        };
        let at = requests as usize + position as usize * handle_size;
        let id = s.identity(b, at, o, done);
        scratch.requests.push(id);
        if done {
            let told = told(b, o, status).map(matched);
            match outcome {
                Outcome::All => scratch.all.extend(told.map(|m| (n as u32, m))),
                _ => scratch.some.push((n as u32, told)),
            }
        }
    }
    let event = Event::Complete {
        call: kind,
        requests: Cow::Borrowed(&scratch.requests),
        told: match outcome {
            Outcome::Nothing => Told::None,
            Outcome::All => Told::All(Cow::Borrowed(&scratch.all)),
            Outcome::Some(_) => Told::Some(Cow::Borrowed(&scratch.some)),
        },
    };
    let about = scratch
        .requests
        .iter()
        .fold(1, |h: u64, r| h.wrapping_mul(31) ^ r.0);
    let nothing = matches!(outcome, Outcome::Nothing);
    let again = s
        .recorder
        .as_ref()
        .is_some_and(|r| r.poll == Some((place, about)));
    if nothing && again {
        return;
    }
    s.record(b, slot, place, event);
    if let Some(recorder) = s.recorder.as_mut().filter(|_| nothing) {
        recorder.poll = Some((place, about));
    }
}

/// Room in which a completion is put together.
#[derive(Default)]
pub(crate) struct Scratch {
    requests: Vec<RequestId>,
    all: Vec<(u32, Matched)>,
    some: Vec<(u32, Option<Matched>)>,
}

/// The place of a call that is no event in a run without recording (a poll).
pub(crate) fn place_of(call: &Call, s: &State, b: &mut Board, thread: &mut ThreadState) -> u32 {
    if s.recorder.is_none() {
        return 0;
    }
    crate::place::look(call, b, thread)
}
