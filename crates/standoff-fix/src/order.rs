//! Two communications one behind the other that change places on one side: a receive and a collective, two messages of different tags, calls of
//! functions that communicate.
//!
//! From each line at which ranks are stuck, and from the lines from which the functions there were called, to the next communication in the
//! same block, or in the blocks around. Sends and receives of one communicator are `exchange`'s. What may move past what is `depend`'s to say,
//! and `summary::exchangeable`'s, as the order of messages and of collectives has a meaning.

use std::collections::BTreeSet;

use standoff_report::Finding;

use crate::correct::constant;
use crate::exchange::Exchange;
use crate::summary::{comms, exchangeable, resolved};
use crate::unit::{Comm, Kind, Shape, Unit};
use crate::{Candidate, Proposal, Repair, places};

/// The statements of this file in which ranks are stuck, or from which what they are stuck in was called.
pub(crate) fn reached(unit: &Unit, finding: &Finding, file: &str) -> BTreeSet<(usize, usize)> {
    let mut out: BTreeSet<(usize, usize)> = places(unit, finding, file)
        .iter()
        .map(|p| (p.block, p.at))
        .collect();
    let core = finding.core.iter().filter(|e| e.state.is_none());
    for frame in core.flat_map(|e| e.stack.iter().skip(1)) {
        let Some(row) = frame.line.and_then(|l| l.checked_sub(1)) else {
            continue;
        };
        if frame.file.as_deref() != Some(file) {
            continue;
        }
        let mut calls = Vec::new();
        for (b, block) in unit.blocks.iter().enumerate() {
            for (s, stmt) in block.stmts.iter().enumerate() {
                let here = (stmt.rows.0..=stmt.rows.1).contains(&(row as usize));
                if here && !stmt.effect.calls.is_empty() {
                    calls.push((stmt.range.len(), (b, s)));
                }
            }
        }
        out.extend(calls.iter().min().map(|c| c.1));
    }
    out
}

pub(crate) fn candidates(unit: &Unit, finding: &Finding, file: &str, out: &mut Proposal) {
    let mut tried = BTreeSet::new();
    for (mut block, mut at) in reached(unit, finding, file) {
        loop {
            if tried.insert((block, at)) {
                follower(unit, block, at, out);
            }
            match unit.blocks[block].owner {
                Some((outer, holder)) if unit.blocks[outer].scope == unit.blocks[block].scope => {
                    (block, at) = (outer, holder);
                }
                _ => break,
            }
        }
    }
}

/// The statement and the next one that communicates.
fn follower(unit: &Unit, block: usize, at: usize, out: &mut Proposal) {
    let stmts = &unit.blocks[block].stmts;
    let talks = |n: &usize| resolved(unit, &stmts[*n].effect).comm;
    let Some(next) = (at + 1..stmts.len()).find(talks) else {
        return;
    };
    let line = |n: usize| stmts[n].rows.0 + 1;
    let what = format!("line {} before line {}", line(next), line(at));
    if let (Some(a), Some(b)) = (&stmts[at].comm, &stmts[next].comm)
        && opposite(a, b)
    {
        return;
    }
    let doubt = |n: usize| resolved(unit, &stmts[n].effect).doubt();
    if let Some(why) = doubt(at).or_else(|| doubt(next)) {
        out.refused.push(format!("{what}: {why}."));
        return;
    }
    let (Some(first), Some(second)) = (comms(unit, block, at), comms(unit, block, next)) else {
        out.refused
            .push(format!("{what}: not all they communicate is seen."));
        return;
    };
    let mut pairs = first
        .iter()
        .flat_map(|a| second.iter().map(move |b| (a, b)));
    if let Some((a, b)) = pairs.find(|(a, b)| !exchangeable(a, b, |t| constant(unit, t))) {
        out.refused.push(format!(
            "{what}: {} and {} have their order, which tells what each of them is.",
            a.name, b.name
        ));
        return;
    }
    match Exchange::of(block, at, next).swap(unit) {
        Ok(edits) => out.candidates.push(Candidate {
            repair: Repair::Swap,
            why: format!(
                "What line {} does comes before what line {} waits for.",
                line(next),
                line(at)
            ),
            edits,
            around: stmts[at]
                .comm
                .as_ref()
                .is_none_or(|c| c.shape == Shape::Nested),
        }),
        Err(why) => out.refused.push(format!("{what}: {why}.")),
    }
}

/// A blocking send and a receive: an exchange.
fn opposite(a: &Comm, b: &Comm) -> bool {
    let recv = |c: &Comm| c.kind == Kind::Recv;
    a.on == b.on && (a.sends() && recv(b) || recv(a) && b.sends())
}
