//! Lists and names for people.

use crate::picture::{CollectiveKind, WorldRank};

/// `2–4, 7`: ascending numbers, runs of three or more drawn together.
#[must_use]
pub fn numbers(list: impl IntoIterator<Item = u32>) -> String {
    let mut list: Vec<u32> = list.into_iter().collect();
    list.sort_unstable();
    list.dedup();
    let mut parts: Vec<String> = Vec::new();
    let mut rest = &list[..];
    while let Some(&first) = rest.first() {
        let run = rest
            .iter()
            .zip(u64::from(first)..)
            .take_while(|&(&n, expected)| u64::from(n) == expected)
            .count();
        if run >= 3 {
            parts.push(format!("{first}–{}", rest[run - 1]));
        } else {
            parts.extend(rest[..run].iter().map(u32::to_string));
        }
        rest = &rest[run..];
    }
    parts.join(", ")
}

/// `rank 3`, or `ranks 2–4, 7`.
#[must_use]
pub fn ranks(list: &[WorldRank]) -> String {
    let numbers = numbers(list.iter().map(|rank| rank.0));
    match list {
        [_] => format!("rank {numbers}"),
        _ => format!("ranks {numbers}"),
    }
}

/// `a`, `a and b`, `a, b and c`.
#[must_use]
pub fn and(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

/// MPI's name of the blocking form, e.g. `MPI_Allreduce`.
#[must_use]
pub fn collective(kind: CollectiveKind, blocking: bool) -> String {
    use CollectiveKind as K;
    let name = match kind {
        K::Barrier => "barrier",
        K::Bcast => "bcast",
        K::Gather => "gather",
        K::Gatherv => "gatherv",
        K::Scatter => "scatter",
        K::Scatterv => "scatterv",
        K::Allgather => "allgather",
        K::Allgatherv => "allgatherv",
        K::Alltoall => "alltoall",
        K::Alltoallv => "alltoallv",
        K::Alltoallw => "alltoallw",
        K::Reduce => "reduce",
        K::Allreduce => "allreduce",
        K::ReduceScatter => "reduce_scatter",
        K::ReduceScatterBlock => "reduce_scatter_block",
        K::Scan => "scan",
        K::Exscan => "exscan",
        K::NeighborAllgather => "neighbor_allgather",
        K::NeighborAllgatherv => "neighbor_allgatherv",
        K::NeighborAlltoall => "neighbor_alltoall",
        K::NeighborAlltoallv => "neighbor_alltoallv",
        K::NeighborAlltoallw => "neighbor_alltoallw",
        K::CommDup => "comm_dup",
        K::CommDupWithInfo => "comm_dup_with_info",
        K::CommSplit => "comm_split",
        K::CommSplitType => "comm_split_type",
        K::CommCreate => "comm_create",
        K::CommCreateGroup => "comm_create_group",
        K::CartCreate => "cart_create",
        K::CartSub => "cart_sub",
        K::GraphCreate => "graph_create",
        K::DistGraphCreate => "dist_graph_create",
        K::DistGraphCreateAdjacent => "dist_graph_create_adjacent",
        K::IntercommCreate => "intercomm_create",
        K::IntercommMerge => "intercomm_merge",
        K::CommFree => "comm_free",
        K::CommDisconnect => "comm_disconnect",
    };
    match (blocking, kind) {
        (true, _) => {
            let mut letters = name.chars();
            let first = letters.next().map(|c| c.to_ascii_uppercase());
            format!(
                "MPI_{}{}",
                first.into_iter().collect::<String>(),
                letters.as_str()
            )
        }
        (false, K::CommDup) => "MPI_Comm_idup".to_owned(),
        (false, K::CommDupWithInfo) => "MPI_Comm_idup_with_info".to_owned(),
        (false, _) => format!("MPI_I{name}"),
    }
}
