//! Blocking sends and receives.

use super::{OwnStatus, SUCCESS, block, block_one, failed, note, registers, thread_or, unblock};
use crate::P;
use crate::guard::Call;
use crate::place::passed;
use crate::record::{self, Choice, Data};
use standoff_board::layout::{ANY, Board, CHANNELS, Envelope, Op, flag, op};

/// `MPI_Send` and its three other modes.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // MPI's
pub(crate) fn send(
    call: Call,
    kind: u8,
    data: Data,
    dest: i32,
    tag: i32,
    comm: usize,
    real: impl FnOnce() -> i32,
) -> i32 {
    let rank = call.rank;
    if dest == rank.abi.proc_null {
        return real();
    }
    let thread = thread_or!(call, real());
    note(rank, thread);
    let raw = comm;
    let comm = rank.abi.handle(comm);
    let (to, channel) = {
        let mut section = rank.section();
        let (s, b) = section.parts();
        let c = s.comm(comm);
        let seq = match c {
            Some(c) => s.count(b, false, c, dest, tag),
            None => unknown_comm(b),
        };
        s.order += 1;
        let comm = c.map_or(0, |c| c + 1);
        let to = Envelope {
            comm,
            peer: dest,
            tag,
        };
        block_one(
            b,
            thread.slot,
            call.function,
            Op::blocking(kind, s.order, seq, to, 0),
        );
        (to, (seq != 0).then(|| s.recent_sent()))
    };
    let waits = kind == op::SEND && record::chosen(rank) == Some(Choice::Wait);
    let forced = if waits {
        data.ssend(dest, tag, raw)
    } else {
        None
    };
    let rc = forced.unwrap_or_else(real);
    // Not before the call: the other side is waiting for the message. The place of one that blocks shows on its stack.
    let mut section = rank.section();
    let (s, b) = section.parts();
    let place = passed(&call, b, thread, to);
    if let Some(channel) = channel {
        sent_at(b, channel, place);
    }
    if s.recorder.is_some() && rc == SUCCESS {
        s.record_send(b, thread.slot, place, kind, to, data, None);
    }
    unblock(b, thread.slot);
    drop(section);
    if rc != SUCCESS {
        failed(rank);
    }
    rc
}

/// Notes where the last message on a channel was sent.
#[inline(always)]
pub(crate) fn sent_at(b: &mut Board, channel: u32, place: u32) {
    let channel = &mut b.sent[channel as usize % CHANNELS];
    if channel.place != place {
        channel.place = place;
    }
}

/// A send where messages cannot be counted: the rank may act from now on.
#[cold]
pub(crate) fn unknown_comm(b: &mut Board) -> u64 {
    crate::rank::taint(
        b,
        "a send on a communicator whose making standoff did not see",
    );
    0
}

/// `MPI_Recv`.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // MPI's
pub(crate) fn recv(
    call: Call,
    data: Data,
    source: i32,
    tag: i32,
    comm: usize,
    status: P,
    real: impl FnOnce(i32, i32, P) -> i32,
) -> i32 {
    let rank = call.rank;
    if source == rank.abi.proc_null {
        return real(source, tag, status);
    }
    let thread = thread_or!(call, real(source, tag, status));
    note(rank, thread);
    let comm = rank.abi.handle(comm);
    let asked = record::pattern(rank, source, tag);
    let (source, tag) = (rank.abi.source(source), rank.abi.tag(tag));
    let (c, from, place) = {
        let mut section = rank.section();
        let (s, b) = section.parts();
        let c = s.comm(comm);
        s.order += 1;
        let comm = c.map_or(0, |c| c + 1);
        let from = Envelope {
            comm,
            peer: source,
            tag,
        };
        let place = passed(&call, b, thread, from);
        let o = Op::blocking(op::RECV, s.order, 0, from, place);
        block_one(b, thread.slot, call.function, o);
        (c, from, place)
    };
    let mut own = OwnStatus::new();
    let wild = source == ANY || tag == ANY;
    let status = if wild { own.or(rank, status) } else { status };
    let rc = real(asked.0, asked.1, status);
    if rc != SUCCESS {
        failed(rank);
    }
    let (source, tag) = if wild && rc == SUCCESS {
        // SAFETY: the library has filled in the status of a successful receive.
        unsafe { rank.abi.envelope(status) }
    } else {
        (source, tag)
    };
    let mut section = rank.section();
    let (s, b) = section.parts();
    if let Some(c) = c.filter(|_| rc == SUCCESS) {
        s.count(b, true, c, source, tag);
        if s.recorder.is_some() {
            s.record_recv(b, thread.slot, place, from, data, None, Some((source, tag)));
        }
    }
    unblock(b, thread.slot);
    drop(section);
    rc
}

/// `MPI_Sendrecv` and `MPI_Sendrecv_replace`: a send and a receive that both must finish.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // MPI's
pub(crate) fn sendrecv(
    call: Call,
    sdata: Data,
    dest: i32,
    stag: i32,
    rdata: Data,
    source: i32,
    rtag: i32,
    comm: usize,
    status: P,
    real: impl FnOnce(P) -> i32,
) -> i32 {
    let rank = call.rank;
    let (sends, receives) = (dest != rank.abi.proc_null, source != rank.abi.proc_null);
    if !sends && !receives {
        return real(status);
    }
    let thread = thread_or!(call, real(status));
    note(rank, thread);
    let regs = registers();
    let comm = rank.abi.handle(comm);
    let (source, rtag) = (rank.abi.source(source), rank.abi.tag(rtag));
    let (c, place) = rank.change(|s, b| {
        let c = s.comm(comm);
        let mut ops = [Op::default(); 2];
        let mut n = 0;
        let comm = c.map_or(0, |c| c + 1);
        let base = Op {
            comm,
            flags: flag::BLOCKING,
            place: passed(
                &call,
                b,
                thread,
                Envelope {
                    comm,
                    peer: dest,
                    tag: stag,
                },
            ),
            ..Op::default()
        };
        if receives {
            s.order += 1;
            ops[n] = Op {
                order: s.order,
                peer: source,
                tag: rtag,
                kind: op::RECV,
                ..base
            };
            n += 1;
        }
        if sends {
            let seq = match c {
                Some(c) => s.count(b, false, c, dest, stag),
                None => unknown_comm(b),
            };
            if seq != 0 {
                sent_at(b, s.recent_sent(), base.place);
            }
            s.order += 1;
            ops[n] = Op {
                order: s.order,
                seq,
                peer: dest,
                tag: stag,
                kind: op::SEND,
                ..base
            };
            n += 1;
        }
        block(b, thread.slot, call.function, &ops[..n], regs);
        (c, base.place)
    });
    let asked = (source, rtag);
    let mut own = OwnStatus::new();
    let wild = receives && (source == ANY || rtag == ANY);
    let status = if wild { own.or(rank, status) } else { status };
    let rc = real(status);
    if rc != SUCCESS {
        failed(rank);
    }
    let (source, rtag) = if wild && rc == SUCCESS {
        // SAFETY: the library has filled in the status of a successful receive.
        unsafe { rank.abi.envelope(status) }
    } else {
        (source, rtag)
    };
    rank.change(|s, b| {
        if let Some(c) = c.filter(|_| receives && rc == SUCCESS) {
            s.count(b, true, c, source, rtag);
        }
        if s.recorder.is_some() && rc == SUCCESS {
            let comm = c.map_or(0, |c| c + 1);
            let to = Envelope {
                comm,
                peer: dest,
                tag: stag,
            };
            let (peer, tag) = asked;
            let from = Envelope { comm, peer, tag };
            let send = sends.then_some((to, sdata));
            let recv = receives.then_some((from, rdata, (source, rtag)));
            s.record_sendrecv(b, thread.slot, place, send, recv);
        }
        unblock(b, thread.slot);
    });
    rc
}
