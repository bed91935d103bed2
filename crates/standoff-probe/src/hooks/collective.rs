//! Collectives: counted on their communicator when they begin, remembered by their last few.

use super::{SUCCESS, block, failed, note, registers, thread_or, unblock};
use crate::P;
use crate::guard::Call;
use crate::place::passed;
use crate::rank::{State, ThreadState};
use crate::record::Choice;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use standoff_board::layout::{Begun, Board, HISTORY, Op, flag, fold, op, root};

/// Counts a collective that begins and describes it as an operation.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // what a procedure was called with
pub(crate) fn begin(
    call: &Call,
    thread: &mut ThreadState,
    s: &mut State,
    b: &mut Board,
    kind: u8,
    root: i32,
    data: bool,
    blocking: bool,
    comm: usize,
) -> Op {
    let abi = &call.rank.abi;
    let root = abi.root(root);
    s.order += 1;
    let mut o = Op {
        order: s.order,
        peer: root,
        kind: op::COLLECTIVE,
        collective: kind,
        flags: if blocking { flag::BLOCKING } else { 0 } | if data { flag::DATA } else { 0 },
        ..Op::default()
    };
    let Some(c) = s.comm(abi.handle(comm)) else {
        return o;
    };
    o.comm = c + 1;
    o.place = passed(call, b, thread, o.envelope());
    if let Some(c) = b.comms.get_mut(c as usize) {
        o.seq = c.collectives;
        c.collectives += 1;
        let same = if c.inter != 0 { root::NONE } else { root };
        c.folded = fold(c.folded, kind, blocking, same);
        c.history[o.seq as usize % HISTORY] = Begun {
            seq1: o.seq + 1,
            root,
            collective: kind,
            blocking: u8::from(blocking),
            place: o.place as u16,
        };
    }
    o
}

/// A blocking collective.
#[inline(always)]
pub(crate) fn blocking(
    call: Call,
    kind: u8,
    root: i32,
    data: bool,
    comm: usize,
    real: impl FnOnce() -> i32,
) -> i32 {
    let rank = call.rank;
    let thread = thread_or!(call, real());
    note(rank, thread);
    let regs = registers();
    let o = rank.change(|s, b| {
        let o = begin(&call, thread, s, b, kind, root, data, true, comm);
        block(b, thread.slot, call.function, &[o], regs);
        o
    });
    let meets = crate::record::chosen(rank) == Some(Choice::Meet);
    let rc = real();
    if meets && rc == SUCCESS {
        meet(comm);
    }
    rank.change(|s, b| {
        if s.recorder.is_some() && rc == SUCCESS {
            s.record_collective(b, thread.slot, &o, data, None, None);
        }
        unblock(b, thread.slot);
    });
    if rc != SUCCESS {
        failed(rank);
    }
    rc
}

/// In a forced run: a barrier beside a collective that is to let nobody go before all have come.
fn meet(comm: usize) {
    if let Some(f) = crate::symbols::library(c"PMPI_Barrier") {
        // SAFETY: the signature of MPI_Barrier; all members do the same after the same collective.
        unsafe {
            core::mem::transmute::<usize, unsafe extern "C-unwind" fn(usize) -> i32>(f)(comm)
        };
    }
}

/// A nonblocking collective.
pub(crate) fn nonblocking(
    call: Call,
    kind: u8,
    root: i32,
    data: bool,
    comm: usize,
    request: P,
    real: impl FnOnce() -> i32,
) -> i32 {
    let rank = call.rank;
    let thread = thread_or!(call, real());
    let o = rank.change(|s, b| begin(&call, thread, s, b, kind, root, data, false, comm));
    let rc = real();
    let posted = super::request::add(&call, request, rc, o);
    if let (true, Some(i)) = (rank.records(), posted) {
        rank.change(|s, b| {
            let order = b.ops[i as usize].order;
            s.record_collective(b, thread.slot, &o, data, Some(order), None);
        });
    }
    rc
}

/// Whether a count of elements of a type is any data at all: the type may have size 0. Only for arguments that are significant on
/// every rank, as the library is asked about them.
pub(crate) fn moves(some: bool, dtype: usize) -> bool {
    static TYPE_SIZE: AtomicUsize = AtomicUsize::new(0);
    if !some {
        return false;
    }
    let mut f = TYPE_SIZE.load(Relaxed);
    if f == 0 {
        let Some(found) = crate::symbols::library(c"PMPI_Type_size") else {
            return false;
        };
        TYPE_SIZE.store(found, Relaxed);
        f = found;
    }
    let mut size = 0i32;
    // SAFETY: the signature of MPI_Type_size, which is local; the program passes the type to a call that needs it to be valid.
    let rc = unsafe {
        core::mem::transmute::<usize, unsafe extern "C" fn(usize, *mut i32) -> i32>(f)(
            dtype,
            &raw mut size,
        )
    };
    // Negative (MPI_UNDEFINED): more than fits.
    rc == SUCCESS && size != 0
}
