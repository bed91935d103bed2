//! Lists and names for people.

use crate::agents::Agent;
use crate::picture::{CollectiveKind, WorldRank};

/// Parts of a list of numbers that are shown; a longer list is cut in the middle.
const SHOWN: usize = 9;

/// `2–4 and 7`: ascending numbers for a sentence, runs of three or more drawn together. Long lists are cut:
/// `0, 2, 4, 6, …, 510 (256 in all)`.
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
    if parts.len() <= SHOWN {
        return and(&parts);
    }
    let last = &parts[parts.len() - 1];
    let head = parts[..4].join(", ");
    format!("{head}, …, {last} ({} in all)", list.len())
}

/// `rank 3`, `ranks 1 and 5`, or `ranks 2–4 and 7`.
#[must_use]
pub fn ranks(list: &[WorldRank]) -> String {
    let numbers = numbers(list.iter().map(|rank| rank.0));
    match list {
        [_] => format!("rank {numbers}"),
        _ => format!("ranks {numbers}"),
    }
}

/// `ranks 1 and 5`, or, if all are of one rank, `threads 0 and 2 of rank 1`.
#[must_use]
pub fn agents(list: &[Agent]) -> String {
    let mut members: Vec<WorldRank> = list.iter().map(|agent| agent.rank).collect();
    members.sort_unstable();
    members.dedup();
    match (&members[..], list.len()) {
        (&[WorldRank(rank)], 2..) => {
            let threads = numbers(list.iter().map(|agent| agent.thread));
            format!("threads {threads} of rank {rank}")
        }
        _ => ranks(&members),
    }
}

/// With an upper-case first letter, to begin a sentence.
#[must_use]
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
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
    if let Some(made) = kind.made() {
        return format!("{}_init", collective(made, true));
    }
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
        // Named above.
        K::BarrierInit
        | K::BcastInit
        | K::GatherInit
        | K::GathervInit
        | K::ScatterInit
        | K::ScattervInit
        | K::AllgatherInit
        | K::AllgathervInit
        | K::AlltoallInit
        | K::AlltoallvInit
        | K::AlltoallwInit
        | K::ReduceInit
        | K::AllreduceInit
        | K::ReduceScatterInit
        | K::ReduceScatterBlockInit
        | K::ScanInit
        | K::ExscanInit
        | K::NeighborAllgatherInit
        | K::NeighborAllgathervInit
        | K::NeighborAlltoallInit
        | K::NeighborAlltoallvInit
        | K::NeighborAlltoallwInit => "",
    };
    match (blocking, kind) {
        (true, _) => format!("MPI_{}", capital(name)),
        (false, K::CommDup) => "MPI_Comm_idup".to_owned(),
        (false, K::CommDupWithInfo) => "MPI_Comm_idup_with_info".to_owned(),
        (false, _) => format!("MPI_I{name}"),
    }
}

/// `1 byte`, `4,096 bytes`.
#[must_use]
pub fn bytes_in_words(bytes: u64) -> String {
    let digits = bytes.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out + if bytes == 1 { " byte" } else { " bytes" }
}
