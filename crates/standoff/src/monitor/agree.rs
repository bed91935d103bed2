//! Collectives that all members of a communicator called, and on whose data they do not agree: the reduction, the size or the type.
//!
//! Read from the boards after the end, like the other [`warnings`](super::warnings). MPI 4.1, chapter 6: all members give the same reduction, and type
//! signatures that match. Compared is what `standoff check` compares of a recording ([`Basic`] says which types are told apart); so what is not
//! known differs from nothing. Nothing is said of collectives whose counts are arrays, of packed data, and of intercommunicators.
//!
//! What may be missed: differences before the last [`HISTORY`] collectives of a communicator on which packed data went; and there, a
//! difference in nothing but the type.

use std::collections::BTreeSet;

use standoff_board::layout::{Begun, HISTORY, recording};
use standoff_board::read::text;
use standoff_mpi::format::{bytes_in_words, collective};
use standoff_report::{Finding, FindingKind};
use standoff_trace::Basic;
use standoff_trace::event::{REDUCTIONS, Signature};

use super::picture::collective_kind;
use super::report::{Known, ranks};
use super::warnings::{Member, at, cut};

/// `3 integers of 4 bytes`; of an unknown type `12 bytes`.
pub(crate) fn elements(bytes: u64, basic: Basic) -> String {
    match basic.size() {
        Some(size) if bytes == size => format!("1 {basic}"),
        Some(size) if bytes.is_multiple_of(size) => format!("{} {basic:#}", bytes / size),
        _ => bytes_in_words(bytes),
    }
}

/// ` with MPI_SUM`, or nothing.
fn reduced(reduction: u32) -> String {
    let name = (reduction as usize).checked_sub(1);
    let name = name.and_then(|at| REDUCTIONS.get(at));
    name.map_or_else(String::new, |name| format!(" with {name}"))
}

/// `called MPI_Reduce with MPI_SUM on 3 integers of 4 bytes`.
pub(crate) fn said(call: &str, signature: Signature) -> String {
    let how = reduced(signature.reduction);
    format!(
        "called {call}{how} on {}",
        elements(signature.bytes, signature.basic)
    )
}

/// What is wrong with that.
pub(crate) fn explanation(comm: &str) -> String {
    format!(
        "The members of {comm} do not agree: all must give the same reduction, the same type and the same count. The library let it pass; \
         what comes out is wrong, and with another size or library it fails or hangs."
    )
}

fn signature(begun: &Begun) -> Signature {
    Signature {
        reduction: u32::from(begun.reduction),
        basic: Basic::from_byte(begun.basic).unwrap_or_default(),
        bytes: u64::from(begun.bytes),
    }
}

/// What the members of a communicator, who called the same collectives, do not agree on.
pub(super) fn disagreements(members: &[Member<'_>], known: &Known<'_>) -> Vec<Finding> {
    let recorded = |r: &super::picture::Reading| r.copy.header.recording != recording::NONE;
    // Whoever reads the recording tells more.
    if known.readings.iter().flatten().any(recorded) {
        return Vec::new();
    }
    let Some(most) = members.iter().map(|m| m.comm.collectives).max() else {
        return Vec::new();
    };
    let oldest = most.saturating_sub(HISTORY as u64);
    let (mut told, mut out) = (BTreeSet::new(), Vec::new());
    for seq in oldest..most {
        let calls: Vec<(u32, &Begun)> = members
            .iter()
            .map(|m| (m.rank.0, &m.comm.history[seq as usize % HISTORY]))
            .filter(|(_, begun)| begun.seq1 == seq + 1 && begun.looked_at == 1)
            .collect();
        let signatures: Vec<Signature> = calls.iter().map(|(_, begun)| signature(begun)).collect();
        let places: Vec<(u32, u16)> = calls.iter().map(|&(rank, b)| (rank, b.place)).collect();
        if !standoff_check::agree(signatures.iter().copied()) && told.insert(places) {
            out.push(finding(members, &calls, known));
        }
    }
    if out.is_empty() && oldest > 0 {
        out.extend(earlier(members));
    }
    cut(out, "collectives")
}

fn finding(members: &[Member<'_>], calls: &[(u32, &Begun)], known: &Known<'_>) -> Finding {
    let mut finding = Finding::new(FindingKind::CollectiveMismatch);
    let mut sides: Vec<(String, Vec<u32>)> = Vec::new();
    for &(rank, begun) in calls {
        let call = collective_kind(begun.collective).map_or_else(
            || "a collective".to_owned(),
            |kind| collective(kind, begun.blocking != 0),
        );
        let line = known.places.line(rank as usize, u32::from(begun.place));
        let side = said(&call, signature(begun)) + &at(line.as_ref());
        match sides.iter_mut().find(|(s, _)| *s == side) {
            Some((_, who)) => who.push(rank),
            None => sides.push((side, vec![rank])),
        }
        let rank = standoff_mpi::picture::WorldRank(rank);
        finding.core.push(known.at(rank, &call, line));
    }
    let sides = sides.iter();
    finding.mismatch = sides
        .map(|(side, who)| format!("{} {side}", ranks(who)))
        .collect();
    finding.core.sort_by_key(|e| e.rank);
    finding.explanation = explanation(&text(&members[0].comm.name));
    finding
}

/// Before what is remembered: sizes and reductions only.
fn earlier(members: &[Member<'_>]) -> Option<Finding> {
    let all = |m: &Member<'_>| (m.comm.agreed, m.comm.unclear);
    let first = all(members.first()?);
    if members.iter().any(|m| m.comm.unclear > 0) || members.iter().all(|m| all(m) == first) {
        return None;
    }
    let mut finding = Finding::new(FindingKind::CollectiveMismatch);
    let who: Vec<u32> = members.iter().map(|m| m.rank.0).collect();
    finding.explanation = format!(
        "{} called the same collectives on {}, but somewhere before the last {HISTORY} they differ in the reduction or the size. The \
         library let it pass; what comes out is wrong, and with another size or library it fails or hangs.",
        standoff_mpi::format::capital(&ranks(&who)),
        text(&members[0].comm.name),
    );
    Some(finding)
}
