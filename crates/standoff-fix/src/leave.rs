//! Ranks that leave a function or a step of a loop before a collective that the others call: they call it, too, before they leave.
//!
//! What they give is what the others give, computed by the same expressions, which must be there already. A patch says nothing about whether that is right.

use std::collections::BTreeSet;

use standoff_report::Finding;

use crate::alias::disjoint;
use crate::edit::Edit;
use crate::order::reached;
use crate::summary::{comms, resolved};
use crate::unit::{Access, Kind, Language, Shape, Stmt, Unit};
use crate::{Candidate, Proposal, Repair};

pub(crate) fn candidates(unit: &Unit, finding: &Finding, file: &str, out: &mut Proposal) {
    if unit.language != Language::Python {
        return;
    }
    let mut seen = BTreeSet::new();
    for (block, at) in reached(unit, finding, file) {
        for holder in (0..at).rev() {
            if leaving(unit, block, holder).is_some() && seen.insert((block, holder, at)) {
                offer(unit, block, holder, at, out);
            }
        }
    }
}

/// The `return` or `continue` that ends an `if` without `else`.
fn leaving(unit: &Unit, block: usize, holder: usize) -> Option<&Stmt> {
    let branch = unit.blocks[block].stmts[holder].branch.as_ref()?;
    let last = unit.blocks[branch.body].stmts.last()?;
    let text = unit.slice(last.range.clone());
    let leaves = text.starts_with("return") || text == "continue";
    (leaves && !branch.others).then_some(last)
}

fn offer(unit: &Unit, block: usize, holder: usize, at: usize, out: &mut Proposal) {
    let Some(last) = leaving(unit, block, holder) else {
        return;
    };
    let line = last.rows.0 + 1;
    let stmts = &unit.blocks[block].stmts;
    // From the one that is missed to the end, as the next would be missed, too; the first alone is right if the others are not for all.
    let whole: Vec<usize> = (holder + 1..stmts.len())
        .filter(|&n| n == at || collective(unit, block, n))
        .collect();
    let mut lists = vec![whole];
    if lists[0] != [at] {
        lists.push(vec![at]);
    }
    for list in lists {
        match taken(unit, block, holder, &list, last) {
            Ok(edits) => out.candidates.push(Candidate {
                repair: Repair::Collective,
                why: format!(
                    "Ranks that leave in line {line} take part in {} before they do.",
                    match list.as_slice() {
                        [one] => format!("line {}", stmts[*one].rows.0 + 1),
                        more => format!("the {} collectives that follow", more.len()),
                    }
                ),
                edits,
                around: false,
            }),
            Err(why) => out.refused.push(format!(
                "taking part in line {} before line {line} leaves: {why}.",
                stmts[at].rows.0 + 1
            )),
        }
    }
}

/// A statement that is one or more collectives and nothing else that is seen.
fn collective(unit: &Unit, block: usize, at: usize) -> bool {
    let stmt = &unit.blocks[block].stmts[at];
    let effect = resolved(unit, &stmt.effect);
    let calls = comms(unit, block, at).unwrap_or_default();
    let leaf = !unit.blocks.iter().any(|b| b.owner == Some((block, at)));
    let whole = stmt.comm.as_ref().is_some_and(|c| c.shape == Shape::Return);
    leaf && effect.comm
        && effect.doubt().is_none()
        && (whole || !effect.jumps)
        && !calls.is_empty()
        && calls.iter().all(|c| c.kind == Kind::Collective)
}

fn taken(
    unit: &Unit,
    block: usize,
    holder: usize,
    list: &[usize],
    last: &Stmt,
) -> Result<Vec<Edit>, String> {
    let stmts = &unit.blocks[block].stmts;
    if stmts[holder].effect.comm {
        return Err("the branch communicates itself".to_owned());
    }
    let Some(indent) = unit.indent(last.range.start) else {
        return Err("it shares a line with others".to_owned());
    };
    let name = |path: &str| path.split('.').next().unwrap_or_default().to_owned();
    let mut bound: BTreeSet<String> = BTreeSet::new();
    let mut text = String::new();
    for &n in list {
        let stmt = &stmts[n];
        if !collective(unit, block, n) {
            return Err("it is not only a collective".to_owned());
        }
        let effect = resolved(unit, &stmt.effect);
        let before = (holder + 1..n).filter(|m| !list.contains(m));
        let mut doubt = before.filter_map(|m| resolved(unit, &stmts[m].effect).doubt());
        let plain = stmt.comm.as_ref().is_some_and(|c| c.args.is_empty());
        if let (Some(why), false) = (doubt.next_back(), plain) {
            return Err(why);
        }
        let scope = unit.blocks[block].scope;
        let same =
            |a: &Access, b: &Access| a.deep && b.deep && !disjoint(unit, scope, &a.path, &b.path);
        for read in &last.effect.reads {
            if effect.mutates.iter().any(|a| same(a, read)) {
                return Err(format!("`{}` is needed as it is", read.path));
            }
        }
        for used in effect.reads.iter().chain(&effect.mutates) {
            let access = used;
            let used = name(&used.path);
            let later = (holder + 1..n).filter(|m| !list.contains(m));
            for m in later {
                let between = &stmts[m].effect;
                if between.binds.iter().any(|b| name(b) == used)
                    || between.mutates.iter().any(|a| name(&a.path) == used)
                    || between.mutates.iter().any(|a| same(a, access))
                {
                    return Err(format!("`{used}` is made between"));
                }
            }
        }
        let changes = effect.mutates.iter().map(|a| &a.path);
        for changed in effect.binds.iter().chain(changes) {
            let changed = name(changed);
            if last.effect.reads.iter().any(|r| name(&r.path) == changed) {
                return Err(format!("`{changed}` is needed as it is"));
            }
            bound.insert(changed);
        }
        let range = match &stmt.comm {
            Some(comm) if comm.shape == Shape::Return => comm.range.clone(),
            _ => stmt.range.clone(),
        };
        let call = unit.slice(range);
        if call.contains('\n') {
            return Err("it is written over several lines".to_owned());
        }
        text += &format!("{call}\n{indent}");
    }
    let outer = unit.blocks[block].scope == 0;
    if outer && !bound.is_empty() {
        // Of the module: others may look at it.
        return Err("it sets names of the module".to_owned());
    }
    Ok(vec![Edit::insert(last.range.start, text)])
}
