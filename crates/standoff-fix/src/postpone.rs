//! Sends of objects that do not block where they stand, with their waits behind the next communication that is more than sends.
//!
//! mpi4py copies (pickles) an object when `isend` is called, so what happens to it afterwards does not matter, and no data dependence can forbid
//! this. Messages stay in their order. MPI allows a standard send to be buffered; so a program that is right does not rely on its waiting. A
//! synchronous send waits on purpose, a buffer is not copied: these are left alone.

use standoff_report::Finding;

use crate::edit::Edit;
use crate::exchange;
use crate::summary::{comms, resolved};
use crate::unit::{Comm, Kind, Language, Shape, Unit};
use crate::{Candidate, Proposal, Repair, places};

pub(crate) fn candidates(unit: &Unit, finding: &Finding, file: &str, out: &mut Proposal) {
    if unit.language != Language::Python {
        return;
    }
    for place in places(unit, finding, file) {
        let Some(send) = &unit.blocks[place.block].stmts[place.at].comm else {
            continue;
        };
        let usable = send.shape == Shape::Bare && !send.unclear;
        if send.kind != Kind::Send || send.buffers() || !usable {
            continue;
        }
        let (mut block, mut at) = (place.block, place.at);
        let line = unit.blocks[block].stmts[at].rows.0 + 1;
        loop {
            match postponed(unit, send, block, at) {
                Ok(None) => {}
                Ok(Some((edits, behind))) => out.candidates.push(Candidate {
                    repair: Repair::Nonblocking,
                    why: format!(
                        "The send of line {line} does not block; it is waited for behind line {behind}."
                    ),
                    edits,
                    around: false,
                }),
                Err(why) => out
                    .refused
                    .push(format!("waiting later for the send of line {line}: {why}.")),
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

/// The send, in the statement of a block, is waited for behind another of that block, whose line is returned. `None`: there is none.
fn postponed(
    unit: &Unit,
    send: &Comm,
    block: usize,
    at: usize,
) -> Result<Option<(Vec<Edit>, usize)>, String> {
    let stmts = &unit.blocks[block].stmts;
    let sends = |n: usize| {
        let calls = comms(unit, block, n);
        calls.is_some_and(|c| c.iter().all(|c| c.sends() || c.kind == Kind::Isend))
    };
    let releases = |n: &usize| resolved(unit, &stmts[*n].effect).comm && !sends(*n);
    let Some(last) = (at + 1..stmts.len()).find(releases) else {
        return Ok(None);
    };
    let here = stmts[at].range == send.range;
    let exchange = |at| exchange::around(unit, block, at).and_then(|e| e.nonblocking(unit));
    if here && exchange(at).is_ok() {
        // That is offered already.
        return Ok(None);
    }
    let line = |n: usize| stmts[n].rows.0 + 1;
    if let Some(n) = (at..=last).find(|&n| stmts[n].effect.jumps) {
        return Err(format!("line {} may leave the block", line(n)));
    }
    let alone = |n: usize| unit.alone(&stmts[n].range);
    let (Some(indent), true) = (unit.indent(stmts[at].range.start), alone(last)) else {
        return Err("the statements share a line with others".to_owned());
    };
    let call = unit.slice(send.range.clone());
    let Some(rest) = call.strip_prefix(&format!("{}.send", send.on)) else {
        return Err("it is written over several lines".to_owned());
    };
    let call = format!("{}.isend{rest}", send.on);
    let end = stmts[last].range.end;
    let end = end + unit.remark(end).map_or(0, str::len);
    let request = unit.fresh_name("request", &[]);
    let edits = if here {
        vec![
            Edit::replace(send.range.clone(), format!("{request} = {call}")),
            Edit::insert(end, format!("\n{indent}{request}.wait()")),
        ]
    } else {
        // It may be sent several times, or never.
        let requests = unit.fresh_name("requests", &[]);
        let step = unit.step(indent);
        vec![
            Edit::insert(stmts[at].range.start, format!("{requests} = []\n{indent}")),
            Edit::replace(send.range.clone(), format!("{requests}.append({call})")),
            Edit::insert(
                end,
                format!("\n{indent}for {request} in {requests}:\n{indent}{step}{request}.wait()"),
            ),
        ]
    };
    Ok(Some((edits, stmts[last].rows.1 + 1)))
}
