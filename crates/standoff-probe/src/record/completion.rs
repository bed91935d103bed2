//! Completions: which requests a call completed.

use super::convert::matched;
use crate::P;
use crate::guard::Call;
use crate::rank::{State, ThreadState};
use standoff_board::layout::{Board, Op, flag, op};
use standoff_trace::Event;
use standoff_trace::event::{Completion, Matched, RequestId, Told, asks_requests};
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
    if let ([(position, o)], Outcome::All) = (&thread.waits[..], outcome)
        && let Some(id) = s.alone(b, *o)
    {
        let told = told(b, *o, *position as usize).map(matched);
        return s.record_completed(b, slot, place, kind, id, told);
    }
    let half = |w: &(u32, u32)| b.ops[w.1 as usize].other_half().is_some();
    if kind.any() && thread.waits.iter().any(half) {
        return s.record_lost(b, "MPI_Isendrecv among requests of which any is waited for");
    }
    let scratch = &mut thread.told;
    scratch.requests.clear();
    scratch.all.clear();
    scratch.some.clear();
    let place_of = |position: u32| requests as usize + position as usize * handle_size;
    let status = |position: u32| match outcome {
        Outcome::Nothing => None,
        Outcome::All => Some(position as usize),
        Outcome::Some(list) => list.iter().position(|p| *p == position),
    };
    let mut muddled = false;
    scratch.seen.clear();
    for &(position, o) in &thread.waits {
        // A persistent request of MPI_PROC_NULL: its starts are no events.
        let silent = |o: &Op| o.kind == op::LOCAL && o.flags & flag::PERSISTENT != 0;
        if scratch.seen.contains(&o) || b.ops.get(o as usize).is_some_and(silent) {
            continue;
        }
        scratch.done.clear();
        scratch.open.clear();
        let mut sort = |position: u32| match status(position) {
            Some(_) => scratch.done.push(position),
            None => scratch.open.push(position),
        };
        if b.ops.get(o as usize).is_some_and(|o| o.shared > 1) {
            // Requests that share an entry are told apart together.
            scratch.seen.push(o);
            let mine = thread.waits.iter().filter(|w| w.1 == o);
            mine.for_each(|w| sort(w.0));
        } else {
            sort(position);
        }
        for &position in &scratch.open {
            scratch
                .requests
                .extend(s.identity(b, place_of(position), o));
        }
        let Some(&first) = scratch.done.first() else {
            scratch.requests.extend(s.half_identity(b, o));
            continue;
        };
        scratch.places.clear();
        scratch
            .places
            .extend(scratch.done.iter().map(|&p| place_of(p)));
        scratch.ids.clear();
        if !s.complete(b, o, &scratch.places, &mut scratch.ids) {
            muddled = true;
            continue;
        }
        // Only a receive is told anything, and it shares its entry with nobody.
        let told = status(first)
            .and_then(|status| told(b, o, status))
            .map(matched);
        for &id in scratch.ids.iter().flatten() {
            let n = scratch.requests.len() as u32;
            scratch.requests.push(id);
            match outcome {
                Outcome::All => scratch.all.extend(told.map(|m| (n, m))),
                _ => scratch.some.push((n, told)),
            }
        }
        scratch.requests.extend(s.half_identity(b, o));
    }
    if muddled {
        s.record_muddle(b, slot, place);
    }
    if scratch.requests.is_empty() {
        return;
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
    let about = asks_requests(scratch.requests.iter().copied());
    let nothing = matches!(outcome, Outcome::Nothing);
    let again = s
        .recorder
        .as_ref()
        .is_some_and(|r| r.poll == Some((place, about)));
    if nothing && again {
        return;
    }
    s.record(b, slot, place, &event);
    if let Some(recorder) = s.recorder.as_mut().filter(|_| nothing) {
        recorder.poll = Some((place, about));
    }
}

/// Room in which a completion is put together: kept, as it is needed for each.
#[derive(Default)]
pub(crate) struct Scratch {
    requests: Vec<RequestId>,
    all: Vec<(u32, Matched)>,
    some: Vec<(u32, Option<Matched>)>,
    /// Entries that were looked at, as far as requests share them.
    seen: Vec<u32>,
    /// Of one entry: positions that are complete, and that are not.
    done: Vec<u32>,
    open: Vec<u32>,
    /// Where the program keeps the complete ones, and what they are.
    places: Vec<usize>,
    ids: Vec<Option<RequestId>>,
}

/// The place of a call that is no event in a run without recording (a poll).
pub(crate) fn place_of(call: &Call, s: &State, b: &mut Board, thread: &mut ThreadState) -> u32 {
    if s.recorder.is_none() {
        return 0;
    }
    crate::place::look(call, b, thread)
}
