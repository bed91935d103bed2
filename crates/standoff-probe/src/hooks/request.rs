//! Nonblocking operations and persistent requests: making them.
//!
//! A receive gets its entry after the real call: until then the thread is outside any wait, so the rank may act anyway.

use super::p2p::{sent_at, unknown_comm};
use super::{SUCCESS, failed, failed_message, not_polling, thread_or};
use crate::P;
use crate::guard::Call;
use crate::place::passed;
use crate::rank::{Rank, State, ThreadState, taint};
use crate::record::{self, Data};
use crate::rescue;
use standoff_board::layout::{Board, Envelope, Op, flag, op};

/// `MPI_Isend` and its three other modes.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // MPI's
pub(crate) fn isend(
    call: Call,
    kind: u8,
    data: Data,
    dest: i32,
    tag: i32,
    comm: usize,
    request: P,
    real: impl FnOnce() -> i32,
) -> i32 {
    let rank = call.rank;
    if dest == rank.abi.proc_null {
        let rc = real();
        to_nobody(rank, request, rc, true);
        return rc;
    }
    let thread = thread_or!(call, real());
    let o = {
        let mut section = rank.section();
        let (s, b) = section.parts();
        let c = s.comm(rank.abi.handle(comm));
        let seq = match c {
            Some(c) => s.count(b, false, c, dest, tag),
            None => unknown_comm(b),
        };
        let comm = c.map_or(0, |c| c + 1);
        let place = passed(
            &call,
            b,
            thread,
            Envelope {
                comm,
                peer: dest,
                tag,
            },
        );
        if seq != 0 {
            sent_at(b, s.recent_sent(), place);
        }
        Op {
            seq,
            comm,
            peer: dest,
            tag,
            kind,
            place,
            ..Op::default()
        }
    };
    let forced = if kind == op::SEND {
        record::isend(rank, record::chosen(rank), data, dest, tag, comm, request)
    } else {
        None
    };
    let rescued = match &rank.rescue {
        Some(rescue) if rescue.takes(rank, kind) && forced.is_none() => {
            let send = rescue::Send {
                kind,
                data,
                dest,
                tag,
                comm,
                place: o.place,
            };
            rescue::isend(rank, rescue, &send, request)
        }
        _ => None,
    };
    let rc = rescued.or(forced).unwrap_or_else(real);
    let posted = add(&call, request, rc, o);
    if let (true, Some(i)) = (rank.records(), posted) {
        rank.change(|s, b| {
            let o = b.ops[i as usize];
            // SAFETY: a successful call has stored a handle there.
            let handle = unsafe { rank.abi.handle_at(request, 0) };
            s.posted(request, handle, Some(&o));
            s.record_send(
                b,
                thread.slot,
                o.place,
                kind,
                o.envelope(),
                data,
                Some(o.order),
            );
        });
    }
    rc
}

/// `MPI_Irecv`.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // MPI's
pub(crate) fn irecv(
    call: Call,
    data: Data,
    source: i32,
    tag: i32,
    comm: usize,
    request: P,
    real: impl FnOnce(i32, i32) -> i32,
) -> i32 {
    let rank = call.rank;
    let sender = record::sender(rank, source);
    let rc = real(sender, tag);
    if source == rank.abi.proc_null {
        to_nobody(rank, request, rc, false);
    } else {
        let posted = add_with(&call, request, rc, |s, b, thread| {
            let comm = s.comm(rank.abi.handle(comm)).map_or(0, |c| c + 1);
            let (peer, tag) = (rank.abi.source(source), rank.abi.tag(tag));
            Op {
                // In a forced run only.
                seq: if sender == source {
                    0
                } else {
                    1 + sender as u64
                },
                comm,
                peer,
                tag,
                kind: op::RECV,
                place: passed(&call, b, thread, Envelope { comm, peer, tag }),
                ..Op::default()
            }
        });
        if let (true, Some(i), Some(thread)) = (rank.records(), posted, call.thread()) {
            rank.change(|s, b| {
                let o = b.ops[i as usize];
                s.record_recv(
                    b,
                    thread.slot,
                    o.place,
                    o.envelope(),
                    data,
                    Some(o.order),
                    None,
                );
            });
        }
    }
    rc
}

/// A request that needs no other rank was made, if the call went well.
pub(crate) fn to_nobody(rank: &Rank, request: P, rc: i32, sends: bool) {
    if rc == SUCCESS {
        // SAFETY: a successful call has stored a handle there.
        let handle = unsafe { rank.abi.handle_at(request, 0) };
        rank.quiet(|s, _| {
            s.null_request(handle);
            if sends {
                s.posted(request, handle, None);
            }
        });
    }
}

/// Enters the request that a successful call has made.
#[inline(always)]
pub(crate) fn add(call: &Call, request: P, rc: i32, op: Op) -> Option<u32> {
    add_with(call, request, rc, |_, _, _| op)
}

#[inline(always)]
fn add_with(
    call: &Call,
    request: P,
    rc: i32,
    op: impl FnOnce(&mut State, &mut Board, &mut ThreadState) -> Op,
) -> Option<u32> {
    let rank = call.rank;
    let thread = call.thread();
    if rc != SUCCESS {
        lost(rank, thread, rc, op);
        return None;
    }
    let thread = thread?;
    // SAFETY: a successful call has stored a handle there.
    let handle = unsafe { rank.abi.handle_at(request, 0) };
    let mut section = rank.section();
    let (s, b) = section.parts();
    not_polling(b, thread.slot);
    let op = op(s, b, thread);
    s.add_op(b, handle, op)
}

/// An operation that was begun and returned an error.
#[cold]
fn lost(
    rank: &Rank,
    thread: Option<&mut ThreadState>,
    rc: i32,
    op: impl FnOnce(&mut State, &mut Board, &mut ThreadState) -> Op,
) {
    let Some(thread) = thread else {
        return failed(rank, rc);
    };
    rank.change(|s, b| {
        let op = op(s, b, thread);
        failed_message(s, b, op.kind, op.envelope());
    });
}

/// `MPI_Send_init` and its three other modes.
#[allow(clippy::too_many_arguments)] // MPI's
pub(crate) fn init_send(
    call: Call,
    kind: u8,
    data: Data,
    dest: i32,
    tag: i32,
    comm: usize,
    request: P,
    real: impl FnOnce() -> i32,
) -> i32 {
    let kind = if dest == call.rank.abi.proc_null {
        op::LOCAL
    } else {
        kind
    };
    let rank = call.rank;
    let waits = kind == op::SEND && record::starts_wait(rank, comm, dest, tag);
    let made = || {
        let forced = if waits {
            data.ssend_init(dest, tag, comm, request)
        } else {
            None
        };
        forced.unwrap_or_else(real)
    };
    let rc = init(&call, kind, data, dest, tag, comm, request, made);
    if let (SUCCESS, Some(rescue)) = (rc, &rank.rescue) {
        let place = 0;
        let send = rescue::Send {
            kind,
            data,
            dest,
            tag,
            comm,
            place,
        };
        rescue.made(rank, send, request);
    }
    rc
}

/// `MPI_Recv_init`.
#[allow(clippy::too_many_arguments)] // MPI's
pub(crate) fn init_recv(
    call: Call,
    data: Data,
    source: i32,
    tag: i32,
    comm: usize,
    request: P,
    real: impl FnOnce() -> i32,
) -> i32 {
    let abi = &call.rank.abi;
    let kind = if source == abi.proc_null {
        op::LOCAL
    } else {
        op::RECV
    };
    init(
        &call,
        kind,
        data,
        abi.source(source),
        abi.tag(tag),
        comm,
        request,
        real,
    )
}

#[allow(clippy::too_many_arguments)] // MPI's
fn init(
    call: &Call,
    kind: u8,
    data: Data,
    peer: i32,
    tag: i32,
    comm: usize,
    request: P,
    real: impl FnOnce() -> i32,
) -> i32 {
    let rank = call.rank;
    let rc = real();
    add_with(call, request, rc, |s, b, thread| {
        let comm = s.comm(rank.abi.handle(comm)).map_or(0, |c| c + 1);
        let (bytes, basic) = match kind {
            op::LOCAL => Default::default(),
            _ => s.measure(data),
        };
        Op {
            comm,
            peer,
            tag,
            kind,
            collective: basic.byte(),
            flags: flag::PERSISTENT | flag::INACTIVE,
            bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
            place: passed(call, b, thread, Envelope { comm, peer, tag }),
            ..Op::default()
        }
    });
    rc
}

/// `MPI_Start` and `MPI_Startall`.
pub(crate) fn start(call: Call, n: i32, requests: P, real: impl FnOnce() -> i32) -> i32 {
    let rank = call.rank;
    let rescue = rank.rescue.as_deref().filter(|rescue| rescue.persists());
    let place = rank.change(|s, b| {
        for i in 0..n.max(0) as usize {
            // SAFETY: the program gives `n` requests.
            let handle = unsafe { rank.abi.handle_at(requests, i) };
            match s.ops.get(handle as u64) {
                Some(o) => {
                    activate(s, b, o);
                    started(&call, s, b, o);
                }
                None => taint(b, "a persistent request whose making standoff did not see"),
            }
        }
        let Some(thread) = call.thread() else {
            return 0;
        };
        not_polling(b, thread.slot);
        match rescue {
            Some(_) => crate::place::look(&call, b, thread),
            None => 0,
        }
    });
    let rc = match rescue {
        Some(rescue) => rescue.start(rank, n, requests, place),
        None => real(),
    };
    if rc != SUCCESS {
        failed(rank, rc);
    }
    rc
}

/// Records the start of a persistent request. Before the real call, which is local; what is posted with it keeps the order.
fn started(call: &Call, s: &mut State, b: &mut Board, i: u32) {
    let Some(thread) = call.thread().filter(|_| s.recorder.is_some()) else {
        return;
    };
    let o = b.ops[i as usize];
    if o.kind != op::LOCAL {
        let place = crate::place::look(call, b, thread);
        s.record_start(b, thread.slot, place, o);
    }
}

fn activate(s: &mut State, b: &mut Board, i: u32) {
    s.order += 1;
    let order = s.order;
    let Some(o) = b.ops.get_mut(i as usize) else {
        return;
    };
    o.flags &= !(flag::INACTIVE | flag::CANCELLED);
    o.order = order;
    if o.is_persistent_collective() {
        o.start();
    }
    let o = *o;
    if matches!(o.kind, op::SEND | op::SSEND | op::BSEND | op::RSEND) {
        let seq = match o.comm {
            0 => unknown_comm(b),
            c => s.count(b, false, c - 1, o.peer, o.tag),
        };
        b.ops[i as usize].seq = seq;
    }
}
