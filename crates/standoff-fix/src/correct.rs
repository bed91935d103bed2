//! A tag, root or communicator that is not what the other side has.
//!
//! By the texts of the file alone: a receive in which ranks are stuck has a tag (or communicator) that no send has, and exactly one send has a
//! tag (or communicator) that no receive has. Then one of them is meant to be the other. For roots: two calls of one collective differ in it. And a
//! receive from any source, outside of loops, that takes what another waits for.

use std::collections::BTreeSet;

use standoff_report::{Finding, FindingKind};

use crate::edit::Edit;
use crate::unit::{Comm, Kind, Language, Unit};
use crate::{Candidate, Place, Proposal, Repair, places};

/// Ranks up to which every source is tried in place of a wildcard.
const FEW: u32 = 5;

pub(crate) fn candidates(
    unit: &Unit,
    finding: &Finding,
    file: &str,
    ranks: u32,
    out: &mut Proposal,
) {
    let all: Vec<&Comm> = unit
        .blocks
        .iter()
        .flat_map(|b| &b.stmts)
        .filter_map(|s| s.comm.as_ref())
        .collect();
    let sends: Vec<&Comm> = all
        .iter()
        .filter(|c| c.sends() || c.kind == Kind::Isend)
        .copied()
        .collect();
    let recvs: Vec<&Comm> = all
        .iter()
        .filter(|c| matches!(c.kind, Kind::Recv | Kind::Irecv))
        .copied()
        .collect();
    let places = places(unit, finding, file);
    let stuck: Vec<&Comm> = places
        .iter()
        .filter_map(|p| unit.blocks[p.block].stmts[p.at].comm.as_ref())
        .collect();
    for recv in stuck.iter().filter(|c| c.kind == Kind::Recv) {
        tags(unit, recv, &sends, &recvs, out);
        communicators(unit, recv, &sends, &recvs, out);
    }
    roots(unit, &stuck, out);
    if finding.kind == FindingKind::PotentialDeadlock {
        for place in &places {
            wildcards(unit, place, ranks, finding, out);
        }
    }
}

fn change(out: &mut Proposal, why: String, range: std::ops::Range<usize>, text: &str) {
    out.candidates.push(Candidate {
        repair: Repair::Correct,
        why,
        edits: vec![Edit::replace(range, text)],
        around: false,
    });
}

/// A tag that means the same everywhere in the file: a number, or a name of the module.
pub(crate) fn constant(unit: &Unit, text: &str) -> bool {
    let module = |name: &str| {
        unit.scopes[0].bound.iter().filter(|b| b.0 == name).count() == 1
            && !unit.scopes[1..]
                .iter()
                .any(|s| s.bound.iter().any(|b| b.0 == name) || s.params.iter().any(|p| p == name))
    };
    let macro_name = |name: &str| {
        let upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        unit.language == Language::C && name.chars().all(upper)
    };
    // Names outside of quotes: `TAGS["up"] + 1`.
    let mut quoted = text.split(['"', '\'']).step_by(2);
    let call = text.contains(['(', '.']);
    !call
        && quoted.all(|part| {
            let words = part.split(|c: char| !(c.is_alphanumeric() || c == '_'));
            let names = words.filter(|w| !w.is_empty() && w.parse::<i64>().is_err());
            names
                .into_iter()
                .all(|name| module(name) || macro_name(name))
        })
}

/// A receive from any source takes the message that a later one of a named source waits for: it names its source, too. Which one it must be is not
/// known here, so each is a candidate, where there are few.
fn wildcards(unit: &Unit, place: &Place, ranks: u32, finding: &Finding, out: &mut Proposal) {
    let [rank] = place.ranks.as_slice() else {
        return;
    };
    let entry = finding.core.iter().find(|e| e.rank == *rank);
    let named = entry.and_then(|e| u32::try_from(e.peer?).ok());
    let scope = unit.blocks[place.block].scope;
    for (b, block) in unit.blocks.iter().enumerate() {
        if block.scope != scope || in_loop(unit, b) || ranks > FEW {
            continue;
        }
        for comm in block.stmts.iter().filter_map(|s| s.comm.as_ref()) {
            let source = comm.arg("source");
            let any = source.is_none_or(|a| a.text.ends_with("ANY_SOURCE"));
            if comm.kind != Kind::Recv || !any || comm.unclear {
                continue;
            }
            for r in (0..ranks).filter(|r| r != rank && Some(*r) != named) {
                let edit = match source {
                    Some(arg) => Edit::replace(arg.range.clone(), r.to_string()),
                    None => {
                        let comma = if comm.args.is_empty() { "" } else { ", " };
                        Edit::insert(comm.range.end - 1, format!("{comma}source={r}"))
                    }
                };
                out.candidates.push(Candidate {
                    repair: Repair::Correct,
                    why: format!(
                        "The receive from any source names rank {r}, so that it cannot take the message that a later one waits for."
                    ),
                    edits: vec![edit],
                    around: false,
                });
            }
        }
    }
}

/// A block that runs more than once.
fn in_loop(unit: &Unit, block: usize) -> bool {
    let Some((outer, at)) = unit.blocks[block].owner else {
        return false;
    };
    let text = unit.slice(unit.blocks[outer].stmts[at].range.clone());
    let same = unit.blocks[outer].scope == unit.blocks[block].scope;
    same && (["for", "while", "do"].iter().any(|w| text.starts_with(w)) || in_loop(unit, outer))
}

fn tags(unit: &Unit, recv: &Comm, sends: &[&Comm], recvs: &[&Comm], out: &mut Proposal) {
    let Some(tag) = recv.arg("tag").filter(|a| constant(unit, &a.text)) else {
        return;
    };
    let of = |list: &[&Comm]| -> BTreeSet<String> {
        list.iter()
            .map(|c| c.text("tag").unwrap_or("0").to_owned())
            .collect()
    };
    let (sent, taken) = (of(sends), of(recvs));
    if sent.contains(&tag.text) {
        return;
    }
    let mut lost = sends
        .iter()
        .filter(|s| s.on == recv.on)
        .filter_map(|s| s.arg("tag"));
    let Some(other) = lost
        .by_ref()
        .find(|a| !taken.contains(&a.text) && constant(unit, &a.text))
    else {
        return;
    };
    if lost.any(|a| !taken.contains(&a.text)) {
        out.refused.push(format!(
            "tag {} is not sent, and several sends have tags that nobody receives.",
            tag.text
        ));
        return;
    }
    let why = format!(
        "Nothing is sent with tag {}, and nobody receives tag {}: the receive takes the latter.",
        tag.text, other.text
    );
    change(out, why, tag.range.clone(), &other.text);
    let why = format!(
        "Nothing is sent with tag {}, and nobody receives tag {}: the send takes the former.",
        tag.text, other.text
    );
    change(out, why, other.range.clone(), &tag.text);
}

fn communicators(unit: &Unit, recv: &Comm, sends: &[&Comm], recvs: &[&Comm], out: &mut Proposal) {
    let key = |c: &Comm| (c.on.clone(), c.text("tag").unwrap_or("0").to_owned());
    let (on, tag) = key(recv);
    if sends.iter().any(|s| key(s) == (on.clone(), tag.clone())) {
        return;
    }
    let lost = |s: &&&Comm| key(s).1 == tag && !recvs.iter().any(|r| key(r) == key(s));
    let mut lost = sends.iter().filter(lost);
    let (Some(send), None) = (lost.next(), lost.next()) else {
        return;
    };
    // A name of another function may mean something else here.
    let scope_of = |c: &Comm| {
        unit.scopes
            .iter()
            .rposition(|s| s.range.start <= c.range.start && c.range.end <= s.range.end)
    };
    let everywhere = |text: &str| text.starts_with("self.") || text.starts_with("MPI");
    for (what, from, to) in [("receive", recv, *send), ("send", *send, recv)] {
        if everywhere(&to.on)
            || scope_of(from) == scope_of(to)
            || from.on.split(['.', '-']).next() == to.on.split(['.', '-']).next()
        {
            let why = format!(
                "The message is sent on `{}` and received on `{on}`: the {what} takes the other's.",
                send.on
            );
            change(out, why, from.on_range.clone(), &to.on);
        }
    }
}

fn roots(unit: &Unit, stuck: &[&Comm], out: &mut Proposal) {
    for a in stuck.iter().filter(|c| c.kind == Kind::Collective) {
        for b in stuck
            .iter()
            .filter(|c| c.name == a.name && c.on == a.on && c.range != a.range)
        {
            if let (Some(from), Some(to)) = (a.arg("root"), b.arg("root"))
                && from.text != to.text
                && constant(unit, &to.text)
            {
                let why = format!(
                    "The calls of {} name different roots, {} and {}: both name {}.",
                    a.name, from.text, to.text, to.text
                );
                change(out, why, from.range.clone(), &to.text);
            }
        }
    }
}
