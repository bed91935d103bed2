//! Probes, matched probes and matched receives.
//!
//! A matched probe takes its message out of matching, so it counts as the receive; the matched receive after it only
//! transfers data and is not modelled as a wait (a sender that waits for it counts as able to go on).

use super::{
    OwnStatus, SUCCESS, block, failed, failed_message, fruitless, not_polling, note, registers,
    thread_or, unblock, unclear,
};
use crate::P;
use crate::guard::Call;
use crate::place::passed;
use crate::raise::{self, Endable};
use crate::rank::Rank;
use crate::record;
use standoff_board::layout::{Op, flag, op, poll, wait};

/// `MPI_Probe`.
#[inline(always)]
pub(crate) fn probe(
    call: Call,
    source: i32,
    tag: i32,
    comm: usize,
    status: P,
    real: impl FnOnce(i32, i32, P) -> i32,
) -> i32 {
    blocking(call, source, tag, comm, None, status, real)
}

/// `MPI_Mprobe`.
#[inline(always)]
pub(crate) fn mprobe(
    call: Call,
    source: i32,
    tag: i32,
    comm: usize,
    message: P,
    status: P,
    real: impl FnOnce(i32, i32, P) -> i32,
) -> i32 {
    blocking(call, source, tag, comm, Some(message), status, real)
}

#[inline(always)]
fn blocking(
    call: Call,
    source: i32,
    tag: i32,
    comm: usize,
    takes: Option<P>,
    status: P,
    real: impl FnOnce(i32, i32, P) -> i32,
) -> i32 {
    let rank = call.rank;
    if source == rank.abi.proc_null {
        return real(source, tag, status);
    }
    let thread = thread_or!(call, real(source, tag, status));
    note(rank, thread);
    let regs = registers();
    let (c, o) = rank.change(|s, b| {
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
        (c, o)
    });
    let mut own = OwnStatus::new();
    let asks = takes.is_some() || rank.records();
    let status = if asks { own.or(rank, status) } else { status };
    let from = record::sender(rank, source);
    let rc = match Endable::of(rank, thread) {
        Some(endable) => raise::probe(&endable, (from, tag), comm, takes, status),
        None => real(from, tag, status),
    };
    let unclear = unclear(rank, rc);
    rank.change(|s, b| {
        // One that only looks takes nothing.
        if unclear && takes.is_some() {
            failed_message(s, b, op::RECV, o.envelope());
        }
        if let Some(c) = c.filter(|_| asks && rc == SUCCESS) {
            // SAFETY: the library has filled in the status of a successful probe.
            let (source, tag) = unsafe { rank.abi.envelope(status) };
            if takes.is_some() {
                s.count(b, true, c, source, tag);
            }
            if s.recorder.is_some() {
                // SAFETY: and the handle of a message that it took.
                let message = takes.map(|m| unsafe { rank.abi.handle_at(m, 0) });
                let told = Some((source, tag));
                s.record_probe(b, thread.slot, o.place, o.envelope(), false, told, message);
            }
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
    status: P,
    real: impl Fn(i32, i32, P) -> i32,
) -> i32 {
    let rank = call.rank;
    let mut own = OwnStatus::new();
    let status = if rank.records() {
        own.or(rank, status)
    } else {
        status
    };
    let from = record::sender(rank, source);
    let found = found.cast::<i32>();
    let rc = asked(rank, (source, tag, comm), found, || real(from, tag, status));
    // SAFETY: the flag of a successful call is set.
    let found = rc != SUCCESS || unsafe { found.read_unaligned() } != 0;
    polled(&call, source, tag, comm, found);
    if rc == SUCCESS {
        recorded(&call, source, tag, comm, found.then_some(status), None);
    }
    rc
}

/// Asks the library, unless a forced run has the probe find nothing, or something.
#[inline(always)]
fn asked(
    rank: &Rank,
    (source, tag, comm): (i32, i32, usize),
    found: *mut i32,
    real: impl Fn() -> i32,
) -> i32 {
    let outcome = record::outcome(rank, |s, _| {
        let o = envelope(rank, s.comm(rank.abi.handle(comm)), source, tag);
        record::asks(o.envelope())
    });
    let mut rc = SUCCESS;
    match outcome {
        None => rc = real(),
        Some(true) => drop(record::patiently(&mut rc, |rc| {
            *rc = real();
            // SAFETY: the flag of a successful call is set.
            *rc != SUCCESS || unsafe { found.read_unaligned() } != 0
        })),
        // SAFETY: the program gives room for the flag.
        Some(false) => unsafe { found.write_unaligned(0) },
    }
    rc
}

/// Records a probe that does not block. `status`: of one that found a message.
fn recorded(
    call: &Call,
    source: i32,
    tag: i32,
    comm: usize,
    status: Option<P>,
    message: Option<P>,
) {
    let rank = call.rank;
    if !rank.records() || source == rank.abi.proc_null {
        return;
    }
    let Some(thread) = call.thread() else { return };
    rank.quiet(|s, b| {
        let o = envelope(rank, s.comm(rank.abi.handle(comm)), source, tag);
        let place = crate::place::look(call, b, thread);
        // SAFETY: the library has filled in the status of a probe that found a message, and the handle of one that it took.
        let told = status.map(|status| unsafe { rank.abi.envelope(status) });
        // SAFETY: as above.
        let message = message.map(|m| unsafe { rank.abi.handle_at(m, 0) });
        s.record_probe(b, thread.slot, place, o.envelope(), true, told, message);
    });
}

/// `MPI_Improbe`.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // MPI's
pub(crate) fn improbe(
    call: Call,
    source: i32,
    tag: i32,
    comm: usize,
    found: P,
    message: P,
    status: P,
    real: impl Fn(i32, i32, P) -> i32,
) -> i32 {
    let rank = call.rank;
    let mut own = OwnStatus::new();
    let status = own.or(rank, status);
    let from = record::sender(rank, source);
    let found = found.cast::<i32>();
    let rc = asked(rank, (source, tag, comm), found, || real(from, tag, status));
    // SAFETY: the flag of a successful call is set.
    let hit = rc == SUCCESS && unsafe { found.read_unaligned() } != 0;
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
        failed(rank, rc);
    }
    polled(&call, source, tag, comm, hit || rc != SUCCESS);
    if rc == SUCCESS {
        recorded(
            &call,
            source,
            tag,
            comm,
            hit.then_some(status),
            hit.then_some(message),
        );
    }
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
pub(crate) fn mrecv(call: Call, message: P, real: impl FnOnce() -> i32) -> i32 {
    let rank = call.rank;
    let thread = thread_or!(call, real());
    // SAFETY: the program gives a message.
    let message = unsafe { rank.abi.handle_at(message, 0) };
    rank.change(|_, b| {
        if let Some(t) = b.threads.get_mut(thread.slot) {
            t.wait = wait::OPAQUE;
            t.function = call.function;
        }
        not_polling(b, thread.slot);
    });
    let rc = real();
    rank.change(|s, b| {
        if s.recorder.is_some() && rc == SUCCESS {
            let place = crate::place::look(&call, b, thread);
            s.record_mrecv(b, thread.slot, place, message, None);
        }
        // An error changes nothing for others: its message was counted when it was matched.
        unblock(b, thread.slot);
    });
    rc
}

/// `MPI_Imrecv`: as `MPI_Mrecv`; its request completes without anything that the model follows.
#[inline(always)]
pub(crate) fn imrecv(call: Call, message: P, request: P, real: impl FnOnce() -> i32) -> i32 {
    let rank = call.rank;
    // SAFETY: the program gives a message.
    let message = unsafe { rank.abi.handle_at(message, 0) };
    let rc = real();
    let posted = super::request::add(
        &call,
        request,
        rc,
        Op {
            kind: op::LOCAL,
            ..Op::default()
        },
    );
    if let (true, Some(i), Some(thread)) = (rank.records(), posted, call.thread()) {
        rank.change(|s, b| {
            let place = crate::place::look(&call, b, thread);
            let order = b.ops[i as usize].order;
            s.record_mrecv(b, thread.slot, place, message, Some(order));
        });
    }
    rc
}
