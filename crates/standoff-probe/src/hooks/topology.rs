//! Neighbours of a process in a topology, for neighbourhood collectives.

use super::SUCCESS;
use super::groups::library;
use crate::rank::State;
use standoff_board::layout::{Board, collective as coll};

/// In-neighbours and out-neighbours, as ranks of the communicator; those at a border that does not wrap are left out.
pub(crate) struct Neighbours {
    pub sources: Vec<u32>,
    pub destinations: Vec<u32>,
}

/// What the library says of a communicator that a collective of this kind has made; `None`: no topology, or it will not say.
pub(crate) fn neighbours(kind: u8, comm: usize) -> Option<Neighbours> {
    match kind {
        coll::CART_CREATE | coll::CART_SUB => cartesian(comm),
        coll::GRAPH_CREATE => graph(comm),
        coll::DIST_GRAPH_CREATE | coll::DIST_GRAPH_CREATE_ADJACENT => distributed(comm),
        _ => None,
    }
}

fn ranks(list: Vec<i32>) -> Vec<u32> {
    // MPI_PROC_NULL is negative on every ABI.
    list.into_iter()
        .filter_map(|r| u32::try_from(r).ok())
        .collect()
}

fn cartesian(comm: usize) -> Option<Neighbours> {
    let dims = library!(c"PMPI_Cartdim_get", fn(usize, *mut i32))?;
    let shift = library!(c"PMPI_Cart_shift", fn(usize, i32, i32, *mut i32, *mut i32))?;
    let mut n = 0i32;
    let mut list = Vec::new();
    // SAFETY: MPI's signatures, a live communicator; both calls are local.
    unsafe {
        if dims(comm, &raw mut n) != SUCCESS {
            return None;
        }
        for d in 0..n {
            let (mut below, mut above) = (-1i32, -1i32);
            if shift(comm, d, 1, &raw mut below, &raw mut above) != SUCCESS {
                return None;
            }
            list.extend([below, above]);
        }
    }
    let list = ranks(list);
    Some(Neighbours {
        sources: list.clone(),
        destinations: list,
    })
}

fn graph(comm: usize) -> Option<Neighbours> {
    let me = library!(c"PMPI_Comm_rank", fn(usize, *mut i32))?;
    let count = library!(c"PMPI_Graph_neighbors_count", fn(usize, i32, *mut i32))?;
    let get = library!(c"PMPI_Graph_neighbors", fn(usize, i32, i32, *mut i32))?;
    let (mut rank, mut n) = (0i32, 0i32);
    // SAFETY: MPI's signatures, a live communicator, an array of n; all calls are local.
    unsafe {
        if me(comm, &raw mut rank) != SUCCESS || count(comm, rank, &raw mut n) != SUCCESS {
            return None;
        }
        let mut list = vec![-1i32; usize::try_from(n).ok()?];
        if get(comm, rank, n, list.as_mut_ptr()) != SUCCESS {
            return None;
        }
        // Graphs may be asymmetric; who names this rank is not told, so its sources are its neighbours only if all agree.
        // MPI requires the graph of a neighbourhood collective to be symmetric (MPI-4.1, 8.6).
        let list = ranks(list);
        Some(Neighbours {
            sources: list.clone(),
            destinations: list,
        })
    }
}

fn distributed(comm: usize) -> Option<Neighbours> {
    let count = library!(
        c"PMPI_Dist_graph_neighbors_count",
        fn(usize, *mut i32, *mut i32, *mut i32)
    )?;
    let get = library!(
        c"PMPI_Dist_graph_neighbors",
        fn(usize, i32, *mut i32, *mut i32, i32, *mut i32, *mut i32)
    )?;
    let (mut n, mut m, mut weighted) = (0i32, 0i32, 0i32);
    // SAFETY: MPI's signatures, a live communicator, arrays of n and m (also for weights); both calls are local.
    unsafe {
        if count(comm, &raw mut n, &raw mut m, &raw mut weighted) != SUCCESS {
            return None;
        }
        let (n_len, m_len) = (usize::try_from(n).ok()?, usize::try_from(m).ok()?);
        let (mut sources, mut destinations) = (vec![-1i32; n_len], vec![-1i32; m_len]);
        let (mut w1, mut w2) = (vec![0i32; n_len], vec![0i32; m_len]);
        if get(
            comm,
            n,
            sources.as_mut_ptr(),
            w1.as_mut_ptr(),
            m,
            destinations.as_mut_ptr(),
            w2.as_mut_ptr(),
        ) != SUCCESS
        {
            return None;
        }
        Some(Neighbours {
            sources: ranks(sources),
            destinations: ranks(destinations),
        })
    }
}

/// Puts neighbours on the board, for the communicator at index `i`.
pub(crate) fn put(s: &mut State, b: &mut Board, i: u32, neighbours: &Neighbours) {
    let mut lists = [[0, u32::MAX]; 2];
    for (place, list) in lists
        .iter_mut()
        .zip([&neighbours.sources, &neighbours.destinations])
    {
        let len = list.len() as u32;
        match s.arena.take(len.max(1)) {
            Some(at) => {
                b.arena[at as usize..(at + len) as usize].copy_from_slice(list);
                *place = [len, at];
            }
            None => return release(s, lists),
        }
    }
    if let Some(c) = b.comms.get_mut(i as usize) {
        [c.sources, c.destinations] = lists;
    }
}

/// Gives the space of neighbour lists back.
pub(crate) fn release(s: &mut State, lists: [[u32; 2]; 2]) {
    for [len, at] in lists {
        if at != u32::MAX {
            s.arena.give(at, len.max(1));
        }
    }
}
