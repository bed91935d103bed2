//! Blocking sends and receives.

use super::{
    OwnStatus, SUCCESS, block, block_one, failed_message, note, registers, thread_or, unblock,
    unclear,
};
use crate::P;
use crate::guard::Call;
use crate::place::{look, passed};
use crate::raise::{self, Endable};
use crate::record::{self, Data};
use crate::rescue;
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
    let forced = if kind == op::SEND {
        record::send(rank, record::chosen(rank), data, dest, tag, raw)
    } else {
        None
    };
    let rescued = match &rank.rescue {
        Some(rescue) if rescue.takes(rank, kind) && forced.is_none() => {
            let place = match rescue.returns {
                true => rank.change(|_, b| look(&call, b, thread)),
                false => 0,
            };
            let send = rescue::Send {
                kind,
                data,
                dest,
                tag,
                comm: raw,
                place,
            };
            rescue::send(rank, rescue, &send, Endable::of(rank, thread).as_ref())
        }
        _ => None,
    };
    let rc = rescued.or(forced).unwrap_or_else(real);
    let unclear = unclear(rank, rc);
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
    if unclear {
        failed_message(s, b, kind, to);
    }
    unblock(b, thread.slot);
    drop(section);
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
    let raw = comm;
    let comm = rank.abi.handle(comm);
    let given = (record::sender(rank, source), tag);
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
    let rc = match Endable::of(rank, thread) {
        Some(endable) => {
            let receive = rescue::Receive {
                data,
                source: given.0,
                tag: given.1,
                status,
            };
            raise::recv(&endable, &receive, raw)
        }
        None => real(given.0, given.1, status),
    };
    let unclear = unclear(rank, rc);
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
    if unclear {
        failed_message(s, b, op::RECV, from);
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
    real: impl FnOnce(i32, i32, P) -> i32,
) -> i32 {
    let rank = call.rank;
    let (sends, receives) = (dest != rank.abi.proc_null, source != rank.abi.proc_null);
    if !sends && !receives {
        return real(source, rtag, status);
    }
    let thread = thread_or!(call, real(source, rtag, status));
    note(rank, thread);
    let regs = registers();
    let halves = |place, status| {
        let send = rescue::Send {
            kind: op::SEND,
            data: sdata,
            dest,
            tag: stag,
            comm,
            place,
        };
        let receive = rescue::Receive {
            data: rdata,
            source,
            tag: rtag,
            status,
        };
        (send, receive)
    };
    let raw = comm;
    let comm = rank.abi.handle(comm);
    let given = (record::sender(rank, source), rtag);
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
    let forced = if sends {
        let chosen = record::chosen(rank);
        record::sendrecv(rank, chosen, sdata, (dest, stag), rdata, given, raw, status)
    } else {
        None
    };
    let rescued = match &rank.rescue {
        Some(rescue) if forced.is_none() => {
            let (send, receive) = halves(place, status);
            let endable = Endable::of(rank, thread);
            match (sends, receives) {
                (true, true) => rescue::sendrecv(rank, rescue, &send, &receive, endable.as_ref()),
                (false, _) => endable.map(|endable| {
                    let rc = raise::recv(&endable, &receive, raw);
                    (rc, rc == SUCCESS)
                }),
                // The library's own sets the status.
                (true, false) => None,
            }
        }
        _ => None,
    };
    let (rc, received) = match rescued {
        Some(both) => both,
        None => {
            let rc = forced.unwrap_or_else(|| real(given.0, given.1, status));
            (rc, rc == SUCCESS)
        }
    };
    let unclear = unclear(rank, rc);
    let (source, rtag) = if wild && received {
        // SAFETY: the library has filled in the status of a successful receive.
        unsafe { rank.abi.envelope(status) }
    } else {
        (source, rtag)
    };
    rank.change(|s, b| {
        if let Some(c) = c.filter(|_| receives && received) {
            s.count(b, true, c, source, rtag);
        }
        if unclear {
            let comm = c.map_or(0, |c| c + 1);
            let halves = [
                (sends, op::SEND, dest, stag),
                (receives, op::RECV, source, rtag),
            ];
            for (_, kind, peer, tag) in halves.into_iter().filter(|half| half.0) {
                failed_message(s, b, kind, Envelope { comm, peer, tag });
            }
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
