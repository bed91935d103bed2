//! Probes, matched probes and matched receives.
//!
//! A matched probe takes its message out of matching, so it counts as the receive; the matched receive after it only
//! transfers data and is not modelled as a wait (a sender that waits for it counts as able to go on).

use super::{
    OwnStatus, SUCCESS, block, failed, fruitless, not_polling, note, registers, thread_or, unblock,
};
use crate::P;
use crate::guard::Call;
use crate::place::passed;
use crate::rank::Rank;
use standoff_board::layout::{Op, flag, op, poll, wait};

/// `MPI_Probe`.
#[inline(always)]
pub(crate) fn probe(
    call: Call,
    source: i32,
    tag: i32,
    comm: usize,
    real: impl FnOnce() -> i32,
) -> i32 {
    blocking(
        call,
        source,
        tag,
        comm,
        false,
        core::ptr::null_mut(),
        |_| real(),
    )
}

/// `MPI_Mprobe`.
#[inline(always)]
pub(crate) fn mprobe(
    call: Call,
    source: i32,
    tag: i32,
    comm: usize,
    status: P,
    real: impl FnOnce(P) -> i32,
) -> i32 {
    blocking(call, source, tag, comm, true, status, real)
}

#[inline(always)]
fn blocking(
    call: Call,
    source: i32,
    tag: i32,
    comm: usize,
    takes: bool,
    status: P,
    real: impl FnOnce(P) -> i32,
) -> i32 {
    let rank = call.rank;
    if source == rank.abi.proc_null {
        return real(status);
    }
    let thread = thread_or!(call, real(status));
    note(rank, thread);
    let regs = registers();
    let c = rank.change(|s, b| {
        let c = s.comm(rank.abi.handle(comm));
        s.order += 1;
        let o = Op {
            order: s.order,
            flags: flag::BLOCKING,
            ..envelope(rank, c, source, tag)
        };
        let place = passed(&call, b, thread, o.envelope());
        let o = Op { place, ..o };
        block(b, thread.slot, call.function, &[o], regs);
        c
    });
    let mut own = OwnStatus::new();
    let status = if takes { own.or(rank, status) } else { status };
    let rc = real(status);
    if rc != SUCCESS {
        failed(rank);
    }
    rank.change(|s, b| {
        if let Some(c) = c.filter(|_| takes && rc == SUCCESS) {
            // SAFETY: the library has filled in the status of a successful matched probe.
            let (source, tag) = unsafe { rank.abi.envelope(status) };
            s.count(b, true, c, source, tag);
        }
        unblock(b, thread.slot);
    });
    rc
}

fn envelope(rank: &Rank, comm: Option<u32>, source: i32, tag: i32) -> Op {
    Op {
        comm: comm.map_or(0, |c| c + 1),
        peer: rank.abi.source(source),
        tag: rank.abi.tag(tag),
        kind: op::PROBE,
        ..Op::default()
    }
}

/// `MPI_Iprobe`.
#[inline(always)]
pub(crate) fn iprobe(
    call: Call,
    source: i32,
    tag: i32,
    comm: usize,
    found: P,
    real: impl FnOnce() -> i32,
) -> i32 {
    let rc = real();
    // SAFETY: the library has set the flag of a successful call.
    let found = rc != SUCCESS || unsafe { found.cast::<i32>().read_unaligned() } != 0;
    polled(&call, source, tag, comm, found);
    rc
}

/// `MPI_Improbe`.
#[inline(always)]
pub(crate) fn improbe(
    call: Call,
    source: i32,
    tag: i32,
    comm: usize,
    found: P,
    status: P,
    real: impl FnOnce(P) -> i32,
) -> i32 {
    let rank = call.rank;
    let mut own = OwnStatus::new();
    let status = own.or(rank, status);
    let rc = real(status);
    // SAFETY: the library has set the flag of a successful call.
    let hit = rc == SUCCESS && unsafe { found.cast::<i32>().read_unaligned() } != 0;
    if hit && source != rank.abi.proc_null {
        rank.change(|s, b| {
            if let Some(c) = s.comm(rank.abi.handle(comm)) {
                // SAFETY: the library has filled in the status of a matched probe that found a message.
                let (source, tag) = unsafe { rank.abi.envelope(status) };
                s.count(b, true, c, source, tag);
            }
        });
    }
    if rc != SUCCESS {
        failed(rank);
    }
    polled(&call, source, tag, comm, hit || rc != SUCCESS);
    rc
}

/// Notes a probe that found nothing (or ends the round of polls).
#[inline(always)]
fn polled(call: &Call, source: i32, tag: i32, comm: usize, found: bool) {
    let rank = call.rank;
    let Some(thread) = call.thread() else { return };
    let regs = registers();
    rank.quiet(|s, b| {
        if found {
            return not_polling(b, thread.slot);
        }
        let o = envelope(rank, s.comm(rank.abi.handle(comm)), source, tag);
        let first = fruitless(rank, b, thread.slot, call.function, poll::PROBE, regs);
        let Some(t) = b.threads.get_mut(thread.slot) else {
            return;
        };
        if first {
            t.inline[0] = o;
        } else if t.inline[0].envelope() != o.envelope() {
            t.poll_kind |= poll::UNKNOWN;
        }
    });
}

/// `MPI_Mrecv`: only transfers.
#[inline(always)]
pub(crate) fn mrecv(call: Call, real: impl FnOnce() -> i32) -> i32 {
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
    rank.change(|_, b| unblock(b, thread.slot));
    if rc != SUCCESS {
        failed(rank);
    }
    rc
}

/// `MPI_Imrecv`: as `MPI_Mrecv`; its request completes without anything that the model follows.
#[inline(always)]
pub(crate) fn imrecv(call: Call, request: P, real: impl FnOnce() -> i32) -> i32 {
    let rc = real();
    super::request::add(
        &call,
        request,
        rc,
        Op {
            kind: op::LOCAL,
            ..Op::default()
        },
    );
    rc
}
