//! Collectives: counted on their communicator when they begin, remembered by their last few.

use super::{SUCCESS, block, failed, note, registers, thread_or, unblock};
use crate::P;
use crate::guard::Call;
use crate::place::passed;
use crate::raise;
use crate::rank::{State, ThreadState};
use crate::record::{self, Agreed, Instance, Parts, Reading};
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
            ..Begun::default()
        };
    }
    o
}

/// A blocking collective.
#[allow(clippy::too_many_arguments)] // MPI's
pub(crate) fn blocking(
    call: Call,
    kind: u8,
    root: i32,
    data: bool,
    comm: usize,
    start: impl FnOnce(P) -> i32,
    real: impl FnOnce() -> i32,
) -> i32 {
    let agreed = Agreed::Nothing;
    described(
        call,
        kind,
        root,
        data,
        comm,
        Parts::None,
        agreed,
        start,
        real,
    )
}

/// The same, of which it is known what data there is: it could go by messages, and the members have to agree on it.
/// `start`: the nonblocking form.
#[allow(clippy::too_many_arguments)] // MPI's
pub(crate) fn described(
    call: Call,
    kind: u8,
    root: i32,
    data: bool,
    comm: usize,
    parts: Parts,
    agreed: Agreed,
    start: impl FnOnce(P) -> i32,
    real: impl FnOnce() -> i32,
) -> i32 {
    let rank = call.rank;
    if let Some(rc) = raise::closed(rank, comm) {
        return rc;
    }
    let Some(thread) = call.thread() else {
        return raise::collective(rank, None, comm, start).unwrap_or_else(real);
    };
    note(rank, thread);
    let regs = registers();
    let o = rank.change(|s, b| {
        let o = begin(&call, thread, s, b, kind, root, data, true, comm);
        block(b, thread.slot, call.function, &[o], regs);
        o
    });
    let reading = record::reading(rank, &o);
    let forced = match &reading {
        Some(Reading::Early(stay)) => {
            let o = &o;
            record::early(rank, &Instance { o, root, stay }, parts)
        }
        _ => None,
    };
    let rc = forced
        .or_else(|| raise::collective(rank, Some(thread), comm, start))
        .unwrap_or_else(real);
    if reading == Some(Reading::Meet) && rc == SUCCESS {
        record::meet(comm);
    }
    rank.change(|s, b| {
        if rc == SUCCESS {
            let signature = s.signature(&rank.abi, b, &o, agreed);
            if s.recorder.is_some() {
                s.record_collective(b, thread.slot, &o, data, None, None, signature);
            }
        }
        unblock(b, thread.slot);
    });
    if rc != SUCCESS {
        failed(rank, rc);
    }
    rc
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
    let (parts, agreed) = (Parts::None, Agreed::Nothing);
    described_request(call, kind, root, data, comm, parts, agreed, request, real)
}

/// The same, of which it is known what data there is.
#[allow(clippy::too_many_arguments)] // MPI's
pub(crate) fn described_request(
    call: Call,
    kind: u8,
    root: i32,
    data: bool,
    comm: usize,
    parts: Parts,
    agreed: Agreed,
    request: P,
    real: impl FnOnce() -> i32,
) -> i32 {
    let rank = call.rank;
    if let Some(rc) = raise::closed(rank, comm) {
        return rc;
    }
    let thread = thread_or!(call, real());
    let o = rank.change(|s, b| begin(&call, thread, s, b, kind, root, data, false, comm));
    let reading = record::reading(rank, &o);
    let forced = match &reading {
        Some(Reading::Early(stay)) => {
            let o = &o;
            record::early_request(rank, &Instance { o, root, stay }, parts, request)
        }
        _ => None,
    };
    let (rc, companion) = match forced {
        Some((rc, companion)) => (rc, Some(companion)),
        None => {
            let rc = real();
            let meets = reading == Some(Reading::Meet) && rc == SUCCESS;
            (rc, meets.then(|| record::beside(rank, comm)).flatten())
        }
    };
    let posted = super::request::add(&call, request, rc, o);
    let order = posted.map(|i| {
        rank.change(|s, b| {
            let order = b.ops[i as usize].order;
            let signature = s.signature(&rank.abi, b, &o, agreed);
            if s.recorder.is_some() {
                s.record_collective(b, thread.slot, &o, data, Some(order), None, signature);
            }
            order
        })
    });
    if let Some(companion) = companion {
        record::accompany(rank, order, companion);
    }
    rc
}

/// Whether a count of elements of a type is any data at all: the type may have size 0. Only for arguments that are significant on
/// every rank, as the library is asked about them.
pub(crate) fn moves(some: bool, dtype: usize) -> bool {
    static TYPE_SIZE: AtomicUsize = AtomicUsize::new(0);
    // Asked for the size of none, the library would end a program whose own call only returns an error (MPI_ERRORS_RETURN).
    let none = |rank: &crate::rank::Rank| rank.abi.handle(dtype) == rank.abi.datatype_null;
    if !some || crate::rank::get().is_none_or(none) {
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
