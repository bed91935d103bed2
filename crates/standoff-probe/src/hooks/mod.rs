//! What happens at each kind of call. Every hook gets the call, its arguments and the real call as a closure, and returns the
//! real call's result.
//!
//! Order matters (see `docs/algorithms/picture.md`): a send is counted and a wait is published *before* the real call; a
//! receive is counted, and its operation removed, *after* it, in one section.

pub(crate) mod attribute;
pub(crate) mod bindings;
pub(crate) mod collective;
pub(crate) mod comm;
pub(crate) mod complete;
pub(crate) mod errors;
mod gathered;
pub(crate) mod groups;
pub(crate) mod isendrecv;
pub(crate) mod life;
pub(crate) mod other;
pub(crate) mod p2p;
pub(crate) mod persistent;
pub(crate) mod polls;
pub(crate) mod probe;
pub(crate) mod release;
pub(crate) mod request;
pub(crate) mod topology;

pub(crate) use gathered::address;

use crate::P;
use crate::rank::{self, Rank, State, ThreadState, next_round};
use standoff_board::layout::{ANY, Board, Envelope, Op, THREADS, Thread, op, wait};

/// `MPI_SUCCESS` on every ABI.
pub(crate) const SUCCESS: i32 = 0;
/// Stands for the root of a collective without one.
pub(crate) const NO_ROOT: i32 = i32::MIN;

/// Registers at this place, from which the monitor can unwind the stack above: rip, rsp, rbp.
///
/// Inlined into a frame that stays until the real call has returned.
#[inline(always)]
pub(crate) fn registers() -> [u64; 3] {
    let (rip, rsp, rbp): (u64, u64, u64);
    // SAFETY: only reads registers.
    unsafe {
        core::arch::asm!("lea {0}, [rip]", "mov {1}, rsp", "mov {2}, rbp", out(reg) rip, out(reg) rsp, out(reg) rbp,
            options(nomem, nostack, preserves_flags));
    }
    [rip, rsp, rbp]
}

/// Publishes a blocking call with its own operations (at most two).
#[inline(always)]
pub(crate) fn block(b: &mut Board, slot: usize, function: u32, ops: &[Op], registers: [u64; 3]) {
    let t = own(b, slot);
    for (to, from) in t.inline.iter_mut().zip(ops) {
        *to = *from;
    }
    t.inline_used = ops.len() as u32;
    t.wait = wait::ALL;
    t.function = function;
    t.unknown = 0;
    t.registers = registers;
    end_polls(t);
}

/// Publishes a blocking call with one operation of its own, written straight to its place. In the hook's own frame, like
/// [`registers`].
#[inline(always)]
pub(crate) fn block_one(b: &mut Board, slot: usize, function: u32, op: Op) {
    let t = own(b, slot);
    t.inline[0] = op;
    t.inline_used = 1;
    t.wait = wait::ALL;
    t.function = function;
    t.unknown = 0;
    t.registers = registers();
    end_polls(t);
}

/// The calling thread's entry.
#[inline(always)]
pub(crate) fn own(b: &mut Board, slot: usize) -> &mut Thread {
    // A slot is below THREADS; so written, the compiler sees that it is.
    &mut b.threads[slot % THREADS]
}

/// The call is over.
#[inline(always)]
pub(crate) fn unblock(b: &mut Board, slot: usize) {
    let t = own(b, slot);
    t.wait = wait::OUTSIDE;
    if t.noted != 0 {
        t.noted = 0;
    }
}

/// If the caller holds the Python interpreter lock, nobody can ask for its stack while it blocks: note it now.
#[inline(always)]
pub(crate) fn note(rank: &Rank, thread: &ThreadState) {
    if !rank.noting {
        return;
    }
    if rank.is_python && crate::python::holds_lock() {
        crate::python::note(rank, thread.slot);
    }
    // Threads of an OpenMP pool do not act, unless the region they run in is one that communicates.
    // SAFETY: takes nothing, may be called by any thread.
    if rank.in_parallel.is_some_and(|f| unsafe { f() } != 0) {
        rank.taint("MPI inside a parallel region of OpenMP");
    }
}

/// An error returned by the library: what the call did is not known, unless the error is one of ours.
#[cold]
pub(crate) fn failed(rank: &Rank, rc: i32) {
    if unclear(rank, rc) {
        rank.taint("an MPI call returned an error");
    }
}

/// Whether a call returned an error that leaves open what it did.
#[inline(always)]
pub(crate) fn unclear(rank: &Rank, rc: i32) -> bool {
    rc != SUCCESS && !crate::raise::ours(rank, rc)
}

/// A send or receive that returned such an error: its message may have gone or come, or not. No other message did for it, so
/// all else is known as before: a rank that ends over it does not become one that may act.
#[cold]
pub(crate) fn failed_message(s: &mut State, b: &mut Board, kind: u8, envelope: Envelope) {
    const MANY: u32 = 64;
    let received = match kind {
        op::SEND..=op::RSEND => Some(false),
        op::RECV | op::PROBE => Some(true),
        _ => None,
    };
    let comm = envelope.comm.checked_sub(1);
    let comm = comm.and_then(|c| Some((c, b.comms.get(c as usize)?)));
    // A record has no event for a call that failed.
    let (Some(received), Some((c, known)), None) = (received, comm, &s.recorder) else {
        return rank::taint(b, "an MPI call returned an error");
    };
    if envelope.peer != ANY {
        return s.mark_unknown(b, received, c, envelope.peer);
    }
    let side = if known.inter == 1 {
        known.remote
    } else {
        known.group
    };
    if side.len > MANY {
        return rank::taint(b, "a receive from anybody returned an error");
    }
    for peer in 0..side.len {
        s.mark_unknown(b, received, c, peer as i32);
    }
}

/// A status of this call's own, for calls that ignore it.
#[repr(C, align(8))]
pub(crate) struct OwnStatus(core::mem::MaybeUninit<[u8; 64]>);

impl OwnStatus {
    pub fn new() -> OwnStatus {
        OwnStatus(core::mem::MaybeUninit::uninit())
    }

    /// `status`, or this one if it is ignored.
    #[inline(always)]
    pub fn or(&mut self, rank: &Rank, status: P) -> P {
        if status as usize == rank.abi.status_ignore {
            self.0.as_mut_ptr().cast()
        } else {
            status
        }
    }
}

/// The thread did something else than a fruitless poll.
#[inline(always)]
pub(crate) fn end_polls(t: &mut Thread) {
    if t.polls != 0 {
        t.poll_round = next_round(t.poll_round);
        t.poll_kind = 0;
        t.polls = 0;
    }
}

/// As [`end_polls`], by slot.
#[inline(always)]
pub(crate) fn not_polling(b: &mut Board, slot: usize) {
    end_polls(own(b, slot));
}

/// From this fruitless poll of a round on, somebody may want to know where it is.
const POLLS_TO_NOTE: u64 = 16;

/// Counts a fruitless poll; true if it is the first of its kind in this round.
///
/// The stack of a poller is gone when somebody asks for it, so a native one keeps a copy of its top in the note; a Python one is asked for
/// its frames like all others.
#[inline(always)]
pub(crate) fn fruitless(
    rank: &Rank,
    b: &mut Board,
    slot: usize,
    function: u32,
    kind: u32,
    registers: [u64; 3],
) -> bool {
    let t = own(b, slot);
    t.polls += 1;
    if t.polls == POLLS_TO_NOTE && !rank.is_python {
        t.function = function;
        t.registers = registers;
        t.noted = 2;
        if let Some(note) = b.notes.get_mut(slot) {
            // SAFETY: the stack above the hook's frame reaches further than a note (a thread's first frames alone do).
            unsafe {
                core::ptr::copy_nonoverlapping(
                    registers[1] as *const u8,
                    note.as_mut_ptr(),
                    note.len(),
                )
            };
        }
    }
    let t = own(b, slot);
    let first = t.poll_kind & kind == 0;
    if first {
        t.poll_kind |= kind;
        t.function = function;
    }
    first
}

/// The thread of a call, or the bare call when the rank has run out of slots (it is tainted then).
macro_rules! thread_or {
    ($call:ident, $bare:expr) => {
        match $call.thread() {
            Some(t) => t,
            None => return $bare,
        }
    };
}
pub(crate) use thread_or;
