//! Standard sends in forced runs: that wait for their receive, or are buffered.

use super::Data;
use super::force::{Chosen, forced};
use crate::P;
use crate::hooks::SUCCESS;
use crate::hooks::groups::library;
use crate::rank::Rank;

/// `MPI_Send` as chosen. `None`: as it comes, or the library cannot.
pub(crate) fn send(
    rank: &Rank,
    chosen: Chosen,
    data: Data,
    dest: i32,
    tag: i32,
    comm: usize,
) -> Option<i32> {
    if chosen.buffer {
        return buffered(rank, data, dest, tag, comm);
    }
    chosen.wait.then(|| data.ssend(dest, tag, comm))?
}

/// `MPI_Isend` as chosen.
pub(crate) fn isend(
    rank: &Rank,
    chosen: Chosen,
    data: Data,
    dest: i32,
    tag: i32,
    comm: usize,
    request: P,
) -> Option<i32> {
    if chosen.buffer {
        let rc = buffered(rank, data, dest, tag, comm)?;
        return Some(rc | complete_at_once(rank, comm, request)?);
    }
    chosen.wait.then(|| data.issend(dest, tag, comm, request))?
}

/// Sends a packed copy, which lives until the message is received, at the latest at the end.
fn buffered(rank: &Rank, data: Data, dest: i32, tag: i32, comm: usize) -> Option<i32> {
    let mut copy = data.packed(comm)?;
    let mut request = rank.abi.request_null;
    let rc =
        Data::of_packed(&rank.abi, &mut copy).isend(dest, tag, comm, (&raw mut request).cast())?;
    forced(rank, |_, _, forced| {
        forced.pending.push((request, copy));
        Some(())
    });
    Some(rc)
}

/// A request that waits for nobody.
pub(super) fn complete_at_once(rank: &Rank, comm: usize, request: P) -> Option<i32> {
    Data::of_packed(&rank.abi, &mut []).irecv(rank.abi.proc_null, 0, comm, request)
}

/// `MPI_Sendrecv` as chosen. Where both halves have one buffer (`MPI_Sendrecv_replace`) a packed copy is sent, as the
/// libraries themselves do it. `None`: the library cannot.
#[allow(clippy::too_many_arguments)] // MPI's
pub(crate) fn sendrecv(
    rank: &Rank,
    chosen: Chosen,
    send: Data,
    (dest, stag): (i32, i32),
    recv: Data,
    (source, rtag): (i32, i32),
    comm: usize,
    status: P,
) -> Option<i32> {
    if chosen.buffer {
        let sent = buffered(rank, send, dest, stag, comm)?;
        return Some(sent | recv.recv(source, rtag, comm, status)?);
    }
    if !chosen.wait {
        return None;
    }
    let wait = library!(c"PMPI_Wait", fn(P, P))?;
    let mut copy = Vec::new();
    let send = if send.buffer == recv.buffer {
        copy = send.packed(comm)?;
        Data::of_packed(&rank.abi, &mut copy)
    } else {
        send
    };
    let mut receives = rank.abi.request_null;
    let mut sends = rank.abi.request_null;
    let rc = recv.irecv(source, rtag, comm, (&raw mut receives).cast())?;
    if rc != SUCCESS {
        return Some(rc);
    }
    let sent = send.issend(dest, stag, comm, (&raw mut sends).cast())?;
    // SAFETY: MPI's signature; the requests were made above, and the copy lives until its send is complete.
    let rcs = unsafe {
        [
            sent,
            wait((&raw mut receives).cast(), status),
            wait((&raw mut sends).cast(), rank.abi.status_ignore as P),
        ]
    };
    drop(copy);
    Some(rcs.into_iter().find(|rc| *rc != SUCCESS).unwrap_or(SUCCESS))
}
