//! From where a thread calls MPI, how often, and what it called last.
//!
//! A place is an entry of a hash table on the board. Native code: the address that the call returns to, found in the wrapper's own
//! frame, which costs two instructions; the monitor makes lines of it when it must. Python: see [`crate::python::frames`].

use crate::guard::Call;
use crate::hooks::own;
use crate::rank::ThreadState;
use standoff_board::layout::{Board, Envelope, PLACES, Place, RECENT, Recent};

/// Entries looked at for one place; a table that full has no room for it.
const PROBES: usize = 16;

/// The address that the wrapper which this is inlined into returns to; 0 if the build keeps no frame pointers.
#[inline(always)]
pub(crate) fn caller() -> usize {
    #[cfg(frame_pointers)]
    {
        let address: usize;
        // SAFETY: with frame pointers rbp is the enclosing function's frame, and the word above the saved one its return address.
        unsafe {
            core::arch::asm!("mov {}, [rbp + 8]", out(reg) address, options(pure, readonly, nostack, preserves_flags));
        }
        address
    }
    #[cfg(not(frame_pointers))]
    0
}

/// Notes a call and counts its place, which it gives back. Inside a change.
#[inline(always)]
pub(crate) fn passed(call: &Call, b: &mut Board, thread: &mut ThreadState, to: Envelope) -> u32 {
    let place = look(call, b, thread);
    let t = own(b, thread.slot);
    t.recent[t.calls as usize % RECENT] = Recent::of(call.function, place, to);
    t.calls += 1;
    place
}

/// The place of a call, counted.
#[inline(always)]
pub(crate) fn look(call: &Call, b: &mut Board, thread: &mut ThreadState) -> u32 {
    if call.rank.is_python {
        crate::python::frames::place(b, &mut thread.lines, call.function)
    } else {
        count(b, call.caller as u64, call.function)
    }
}

/// Fibonacci hashing, as in [`crate::map`].
#[inline(always)]
fn home(key: u64) -> usize {
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - PLACES.trailing_zeros())) as usize
}

#[inline(always)]
fn count(b: &mut Board, key: u64, function: u32) -> u32 {
    let i = home(key);
    match b.places.get_mut(i) {
        Some(place) if place.key == key && key != 0 => {
            place.count += 1;
            i as u32
        }
        _ => {
            let new = Place {
                key,
                function,
                ..Place::default()
            };
            find(b, new)
        }
    }
}

/// The entry with the key of `new`, or `new`; its count goes up. 0 if there is no room.
#[inline(never)]
pub(crate) fn find(b: &mut Board, new: Place) -> u32 {
    if new.key == 0 {
        return 0;
    }
    let home = home(new.key);
    for i in (home..home + PROBES)
        .map(|i| i % PLACES)
        .filter(|&i| i != 0)
    {
        let place = &mut b.places[i];
        if place.key == new.key {
            place.count += 1;
            return i as u32;
        }
        if place.key == 0 {
            *place = Place { count: 1, ..new };
            return i as u32;
        }
    }
    0
}
