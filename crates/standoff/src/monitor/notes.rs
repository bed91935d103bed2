//! What a report says of that which could not be seen, once.

use std::collections::{BTreeMap, BTreeSet};

use standoff_board::layout::state;

use super::ranks::Ranks;
use super::report;

/// Why a rank counts as able to act.
const THREADS: &str =
    "it has threads that have not called MPI and may (a thread pool, an executor)";
/// Likewise.
const UNSEEN: &str = "it has threads that were started where standoff does not see it (by the C library, or past pthread_create)";

/// What could not be seen.
pub fn unseen(ranks: &Ranks) -> Vec<String> {
    let mut notes: Vec<String> = ranks.complaints.values().cloned().collect();
    let alone = ranks.worlds.iter().all(|w| w.ranks.len() == 1);
    if alone && ranks.worlds.len() > 1 {
        notes.push(format!(
            "{} processes were each alone, rank 0 in a world of size 1; if they were meant to be one job, the \
             launcher belongs to another MPI than the one they load (`standoff doctor` shows both)",
            ranks.worlds.len()
        ));
    }
    let mut taints: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
    for w in &ranks.worlds {
        let missing: Vec<u32> = (0u32..)
            .zip(&w.ranks)
            .filter(|(_, r)| r.is_none())
            .map(|(i, _)| i)
            .collect();
        if !missing.is_empty() {
            notes.push(format!(
                "{} did not join (on another machine, or not in MPI yet) and {} counted as able to act",
                report::ranks(&missing),
                if missing.len() == 1 { "was" } else { "were" },
            ));
        }
        notes.extend(w.lost.iter().map(|(rank, why)| {
            format!(
                "the board of rank {rank} cannot be read any more: {why}; it counts as able to act"
            )
        }));
        if w.confused {
            notes.push("two processes claim the same rank; their job was not judged".to_owned());
        }
        for (r, h) in w.joined().filter_map(|r| Some((r, r.board.header().ok()?))) {
            if h.taint != 0 {
                let why = standoff_board::read::text(&h.taint_why);
                taints.entry(why).or_default().insert(h.rank);
            }
            if h.state == state::RUNNING && h.thread_level >= 2 && h.other_threads > 0 {
                taints.entry(THREADS.into()).or_default().insert(h.rank);
            }
            if r.unseen_threads(&h) > 0 {
                taints.entry(UNSEEN.into()).or_default().insert(h.rank);
            }
        }
    }
    notes.extend(taints.into_iter().map(|(why, ranks)| {
        let ranks: Vec<u32> = ranks.into_iter().collect();
        format!(
            "{} counted as able to act from some point on: {why}",
            report::ranks(&ranks)
        )
    }));
    notes
}
