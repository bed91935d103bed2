//! `MPI_Isendrecv` and `MPI_Isendrecv_replace`: one request for a send and a receive, complete when both are.
//!
//! On the board these are two operations that name each other ([`flag::HALF`]); the request's handle leads to the receive.

use super::p2p::{sent_at, unknown_comm};
use super::request::{add, to_nobody};
use super::{SUCCESS, failed_message, not_polling, thread_or};
use crate::P;
use crate::guard::Call;
use crate::place::passed;
use crate::rank::{Rank, State, taint};
use crate::record::{self, Data};
use standoff_board::layout::{ANY, Board, Envelope, Op, abi, flag, op};

/// Both procedures; `real` gets the source and tag to receive from.
#[allow(clippy::too_many_arguments)] // MPI's
pub(crate) fn isendrecv(
    call: Call,
    sdata: Data,
    dest: i32,
    stag: i32,
    rdata: Data,
    source: i32,
    rtag: i32,
    comm: usize,
    request: P,
    real: impl FnOnce(i32, i32) -> i32,
) -> i32 {
    let rank = call.rank;
    let (sends, receives) = (dest != rank.abi.proc_null, source != rank.abi.proc_null);
    if !sends && !receives {
        let rc = real(source, rtag);
        to_nobody(rank, request, rc, true);
        return rc;
    }
    let thread = thread_or!(call, real(source, rtag));
    let sender = record::sender(rank, source);
    // As every send, counted before the real call.
    let (send, recv) = rank.change(|s, b| {
        let c = s.comm(rank.abi.handle(comm));
        let comm = c.map_or(0, |c| c + 1);
        let to = Envelope {
            comm,
            peer: dest,
            tag: stag,
        };
        let from = Envelope {
            comm,
            peer: rank.abi.source(source),
            tag: rank.abi.tag(rtag),
        };
        let place = passed(&call, b, thread, if sends { to } else { from });
        let seq = match (sends, c) {
            (false, _) => 0,
            (true, Some(c)) => s.count(b, false, c, dest, stag),
            (true, None) => unknown_comm(b),
        };
        if seq != 0 {
            sent_at(b, s.recent_sent(), place);
        }
        let one = |kind, envelope: Envelope, seq| Op {
            seq,
            comm,
            peer: envelope.peer,
            tag: envelope.tag,
            kind,
            place,
            ..Op::default()
        };
        let chosen = match sender == source {
            true => 0,
            false => 1 + sender as u64,
        };
        (one(op::SEND, to, seq), one(op::RECV, from, chosen))
    });
    let rc = real(sender, rtag);
    if rc != SUCCESS {
        rank.change(|s, b| {
            let halves = [sends.then_some(send), receives.then_some(recv)];
            for half in halves.into_iter().flatten() {
                failed_message(s, b, half.kind, half.envelope());
            }
        });
        return rc;
    }
    let posted = match (sends, receives) {
        (true, true) => {
            // SAFETY: a successful call has stored a handle there.
            let handle = unsafe { rank.abi.handle_at(request, 0) };
            rank.change(|s, b| {
                not_polling(b, thread.slot);
                let i = s.add_op(b, handle, recv)?;
                s.add_half(b, i, send)
            })
        }
        (true, false) => add(&call, request, rc, send),
        _ => add(&call, request, rc, recv),
    };
    let (true, Some(i)) = (rank.records(), posted) else {
        return rc;
    };
    rank.change(|s, b| {
        let (o, place) = (b.ops[i as usize], send.place);
        let order = |half: u32| b.ops.get(half as usize).map(|o| o.order);
        match (sends, receives) {
            (true, true) if is_wild(&recv) && !tells(rank) => {
                s.record_lost(b, "MPI_Isendrecv that does not tell what it received");
            }
            (true, true) => {
                // The send is the one that was entered last.
                let received = o.other_half().and_then(order).unwrap_or(o.order);
                let to = (send.envelope(), sdata, o.order);
                let from = (recv.envelope(), rdata, received);
                s.record_isendrecv(b, thread.slot, place, to, from);
            }
            (true, false) => {
                // SAFETY: as above.
                let handle = unsafe { rank.abi.handle_at(request, 0) };
                s.posted(request, handle, Some(&o));
                let to = send.envelope();
                s.record_send(b, thread.slot, place, op::SEND, to, sdata, Some(o.order));
            }
            _ => {
                let from = recv.envelope();
                s.record_recv(b, thread.slot, place, from, rdata, Some(o.order), None);
            }
        }
    });
    rc
}

/// The receive asks for any source or tag.
pub(crate) fn is_wild(o: &Op) -> bool {
    o.peer == ANY || o.tag == ANY
}

/// Whether the library says in the status of such a request what it received. MPICH (4.0 to 5.0) leaves there what it finds.
pub(crate) fn tells(rank: &Rank) -> bool {
    rank.abi.kind == abi::OPENMPI
}

/// The request is done, and so are both halves: what it received is counted.
#[cold]
pub(crate) fn done(rank: &Rank, s: &mut State, b: &mut Board, e: &Op, status: Option<(i32, i32)>) {
    let comm = e.comm.checked_sub(1);
    match (comm, status) {
        _ if e.flags & flag::CANCELLED != 0 => super::gathered::cancelled(s, b, e, None),
        (None, _) => {}
        (Some(c), _) if is_wild(e) && !tells(rank) => match e.peer {
            ANY => taint(
                b,
                "MPI_Isendrecv from any source, which the library does not tell",
            ),
            peer => s.mark_unknown(b, true, c, peer),
        },
        (Some(c), status) => {
            let (source, tag) = status.unwrap_or((e.peer, e.tag));
            if source == ANY || tag == ANY {
                taint(b, "a receive whose source could not be told");
            } else {
                s.count(b, true, c, source, tag);
            }
        }
    }
    if let Some(half) = e.other_half() {
        s.drop_op(b, half);
    }
}
