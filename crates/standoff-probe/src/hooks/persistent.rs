//! Persistent collectives: making them. Their starts are those of all persistent requests (`hooks::request`).
//!
//! The making is a collective itself, in order with the others of the communicator, and may wait for them. Starts have no order among each other: the
//! k-th start of a request belongs to the k-th start of the requests that the other members made in the same place (MPI 4.1, 6.13).

use super::collective::begin;
use super::{SUCCESS, block, failed, note, registers, request, thread_or, unblock};
use crate::P;
use crate::guard::Call;
use crate::raise;
use crate::record::{self, Agreed, Reading};
use standoff_board::layout::{Op, collective, flag};

/// `MPI_Barrier_init` and its kin: `kind`, `root` and `data` are those of what it makes.
#[allow(clippy::too_many_arguments)] // MPI's
pub(crate) fn init(
    call: Call,
    kind: u8,
    root: i32,
    data: bool,
    comm: usize,
    agreed: Agreed,
    request: P,
    real: impl FnOnce() -> i32,
) -> i32 {
    let rank = call.rank;
    if let Some(rc) = raise::closed(rank, comm) {
        return rc;
    }
    let thread = thread_or!(call, real());
    note(rank, thread);
    let regs = registers();
    let o = rank.change(|s, b| {
        let making = collective::INIT + kind;
        let o = begin(&call, thread, s, b, making, root, false, true, comm);
        block(b, thread.slot, call.function, &[o], regs);
        o
    });
    let rc = real();
    if record::reading(rank, &o) == Some(Reading::Meet) && rc == SUCCESS {
        record::meet(comm);
    }
    rank.change(|s, b| {
        if rc == SUCCESS {
            let signature = s.signature(&rank.abi, b, &o, agreed);
            if s.recorder.is_some() {
                s.record_collective(b, thread.slot, &o, false, None, None, signature);
            }
        }
        unblock(b, thread.slot);
    });
    let data = if data { flag::DATA } else { 0 };
    let made = Op {
        collective: kind,
        flags: flag::PERSISTENT | flag::INACTIVE | data,
        tag: 0,
        ..o
    };
    if rc == SUCCESS {
        request::add(&call, request, rc, made);
    } else {
        failed(rank, rc);
    }
    rc
}
