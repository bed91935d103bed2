//! Up to which size this library buffers a standard send from one rank to another: measured at the end of a run that `standoff check` makes for
//! it, between the program's last call and the library's own `MPI_Finalize`.
//!
//! The sender posts messages of growing size on a communicator of our own, each when all before were received. The receiver looks at what has come, without
//! receiving it, and says so; a message that is complete then was buffered. (Open MPI completes some only when the other side has looked.) No clock
//! is asked: on a busy machine either side may not run for any time.
//! Powers of two first, then the interval is halved. The limit can differ with the state of the library (credits, shared memory in use): it is
//! one measurement, not a promise.

use crate::P;
use crate::rank::Rank;
use std::path::Path;

/// How often the receiver looks, and the sender then.
const LOOKS: usize = 1000;
/// Sizes tried, in bytes.
const LARGEST: usize = 64 << 20;
/// The interval is halved so often.
const STEPS: usize = 10;
const DATA: i32 = 1;
const NEXT: i32 = 2;
const LOOKED: i32 = 3;
const RECEIVE: i32 = 4;
const TAKEN: i32 = 5;
const NOTHING: i32 = 6;

macro_rules! mpi {
    ($name:literal, fn($($t:ty),*)) => {{
        let f = crate::symbols::library($name)?;
        // SAFETY: MPI's signature of this procedure.
        unsafe { core::mem::transmute::<usize, unsafe extern "C" fn($($t),*) -> i32>(f) }
    }};
}

/// The two ranks that `STANDOFF_MEASURE` names measure; the file `eager` in the directory of recordings holds the largest size that was buffered. All ranks
/// of the job call this.
pub(crate) fn measure(rank: &Rank, me: u32, directory: &Path) -> Option<()> {
    let asked = std::env::var(standoff_board::layout::MEASURE_VAR).ok()?;
    let (from, to) = asked.split_once(' ')?;
    let (from, to): (u32, u32) = (from.parse().ok()?, to.parse().ok()?);
    let dup = mpi!(c"PMPI_Comm_dup", fn(usize, P));
    let mut comm: usize = 0;
    // SAFETY: all ranks of the job call this at the same place; room for a handle of either size.
    if unsafe { dup(rank.abi.comm_world, (&raw mut comm).cast()) } != 0 {
        return None;
    }
    if me == from {
        let largest = sender(rank, comm, to as i32)?;
        std::fs::write(directory.join("eager"), largest.to_string()).ok()?;
    } else if me == to {
        receiver(rank, comm, from as i32)?;
    }
    Some(())
}

fn sender(rank: &Rank, comm: usize, to: i32) -> Option<usize> {
    let isend = mpi!(c"PMPI_Isend", fn(P, i32, usize, i32, i32, usize, P));
    let send = mpi!(c"PMPI_Send", fn(P, i32, usize, i32, i32, usize));
    let test = mpi!(c"PMPI_Test", fn(P, P, P));
    let wait = mpi!(c"PMPI_Wait", fn(P, P));
    let recv = mpi!(c"PMPI_Recv", fn(P, i32, usize, i32, i32, usize, P));
    let byte = rank.abi.byte;
    let ignore = rank.abi.status_ignore as P;
    let mut buffer = vec![0u8; LARGEST];
    let mut buffered = |size: usize| {
        let mut request = rank.abi.request_null;
        let mut done = 0i32;
        // SAFETY: MPI's signatures; the buffer lives until the request is complete, and the receiver takes the message after it was told its size.
        unsafe {
            isend(
                buffer.as_mut_ptr().cast(),
                size as i32,
                byte,
                to,
                DATA,
                comm,
                (&raw mut request).cast(),
            );
            let mut told = size as u64;
            send((&raw mut told).cast(), 8, byte, to, NEXT, comm);
            recv((&raw mut told).cast(), 8, byte, to, LOOKED, comm, ignore);
            for _ in 0..LOOKS {
                if done == 0 {
                    test((&raw mut request).cast(), (&raw mut done).cast(), ignore);
                }
            }
            send((&raw mut told).cast(), 8, byte, to, RECEIVE, comm);
            if done == 0 {
                wait((&raw mut request).cast(), ignore);
            }
            recv((&raw mut told).cast(), 8, byte, to, TAKEN, comm, ignore);
        }
        done != 0
    };
    let mut yes = 0;
    let mut no = 1;
    while no <= LARGEST && buffered(no) {
        yes = no;
        no *= 2;
    }
    for _ in 0..STEPS {
        let middle = usize::midpoint(yes, no);
        if middle == yes || no > LARGEST {
            break;
        }
        if buffered(middle) {
            yes = middle;
        } else {
            no = middle;
        }
    }
    let mut end = u64::MAX;
    // SAFETY: as above.
    unsafe { send((&raw mut end).cast(), 8, byte, to, NEXT, comm) };
    Some(yes)
}

fn receiver(rank: &Rank, comm: usize, from: i32) -> Option<()> {
    let iprobe = mpi!(c"PMPI_Iprobe", fn(i32, i32, usize, P, P));
    let send = mpi!(c"PMPI_Send", fn(P, i32, usize, i32, i32, usize));
    let recv = mpi!(c"PMPI_Recv", fn(P, i32, usize, i32, i32, usize, P));
    let byte = rank.abi.byte;
    let ignore = rank.abi.status_ignore as P;
    let mut buffer = vec![0u8; LARGEST];
    loop {
        let mut size = 0u64;
        // SAFETY: MPI's signatures; the sender says how much comes, which is at most the buffer's length.
        unsafe {
            recv((&raw mut size).cast(), 8, byte, from, NEXT, comm, ignore);
            if size > LARGEST as u64 {
                return Some(());
            }
            let mut flag = 0i32;
            for _ in 0..LOOKS {
                iprobe(from, NOTHING, comm, (&raw mut flag).cast(), ignore);
            }
            send((&raw mut size).cast(), 8, byte, from, LOOKED, comm);
            let mut go = 0u64;
            recv((&raw mut go).cast(), 8, byte, from, RECEIVE, comm, ignore);
            recv(
                buffer.as_mut_ptr().cast(),
                size as i32,
                byte,
                from,
                DATA,
                comm,
                ignore,
            );
            send((&raw mut size).cast(), 8, byte, from, TAKEN, comm);
        }
    }
}
