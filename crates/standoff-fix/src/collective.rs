//! Collectives that only some ranks reach, because they stand in a branch.
//!
//! One that is the last statement of its branch goes behind the conditional statement, the first one before it: the order of calls stays the
//! same on the ranks that took the branch. Branches with an `else` are left alone, as the other side may have its own collective.

use standoff_report::Finding;

use crate::edit::Edit;
use crate::join::removal;
use crate::unit::{Kind, Language, Shape, Unit};
use crate::{Candidate, Proposal, Repair, places};

pub(crate) fn candidates(unit: &Unit, finding: &Finding, file: &str, out: &mut Proposal) {
    for place in places(unit, finding, file) {
        let stmt = &unit.blocks[place.block].stmts[place.at];
        if stmt
            .comm
            .as_ref()
            .is_none_or(|c| c.kind != Kind::Collective)
        {
            continue;
        }
        let line = stmt.rows.0 + 1;
        match moved(unit, place.block, place.at) {
            Ok(None) => {}
            Ok(Some(edits)) => out.candidates.push(Candidate {
                repair: Repair::Collective,
                why: format!(
                    "The collective of line {line} leaves its branch, so that all ranks call it."
                ),
                edits,
                around: false,
            }),
            Err(why) => out.refused.push(format!(
                "moving the collective of line {line} out of its branch: {why}."
            )),
        }
    }
}

/// `None`: it is in no branch.
fn moved(unit: &Unit, block: usize, at: usize) -> Result<Option<Vec<Edit>>, String> {
    let Some((outer, holder)) = unit.blocks[block].owner else {
        return Ok(None);
    };
    let scope = |b: usize| unit.blocks[b].scope;
    let whole = &unit.blocks[outer].stmts[holder];
    let Some(branch) = &whole.branch else {
        return Ok(None);
    };
    if scope(outer) != scope(block) {
        return Ok(None);
    }
    if branch.others || branch.body != block {
        return Err("there is another branch".to_owned());
    }
    let stmts = &unit.blocks[block].stmts;
    let stmt = &stmts[at];
    let comm = stmt.comm.as_ref();
    if comm.is_none_or(|c| c.unclear || matches!(c.shape, Shape::Nested | Shape::Return)) {
        return Err("it is part of something larger".to_owned());
    }
    let Some(indent) = unit.indent(whole.range.start) else {
        return Err("it shares a line with others".to_owned());
    };
    // What it is given must be there on all ranks.
    let before = &unit.blocks[outer].stmts[..holder];
    let here = &unit.scopes[scope(outer)];
    for read in &stmt.effect.reads {
        let name = read.path.split('.').next().unwrap_or_default();
        let others = stmts.iter().enumerate().filter(|(n, _)| *n != at);
        let in_branch = others
            .into_iter()
            .any(|(_, s)| s.effect.binds.contains(name));
        let there = here.params.iter().any(|p| p == name)
            || before.iter().any(|s| s.effect.binds.contains(name));
        let from_elsewhere = !here.bound.iter().any(|b| b.0 == name);
        if in_branch || !(there || from_elsewhere || scope(outer) != 0) {
            return Err(format!("`{name}` is set only there"));
        }
    }
    let call = unit.slice(stmt.range.clone());
    if stmts.len() == 1 {
        let condition = unit.slice(branch.condition.clone());
        if whole.effect.doubt().is_some() {
            return Err(format!("the condition `{condition}` may do anything"));
        }
        // The remark behind it is a part of the whole, or stays where it is.
        let remark = unit.remark(stmt.range.end).unwrap_or_default();
        let within = stmt.range.end + remark.len() <= whole.range.end;
        let remark = if within { remark } else { "" };
        let text = format!("{call}{remark}");
        return Ok(Some(vec![Edit::replace(whole.range.clone(), text)]));
    }
    let gone = removal(unit, &stmt.range);
    if at + 1 == stmts.len() {
        if unit.language == Language::C {
            let end = whole.range.end;
            return Ok(Some(vec![
                gone,
                Edit::insert(end, format!("\n{indent}{call}")),
            ]));
        }
        // In Python the conditional statement ends where its last one does.
        let Some(inner) = unit
            .indent(stmt.range.start)
            .filter(|_| unit.alone(&stmt.range))
        else {
            return Err("it shares a line with others".to_owned());
        };
        let margin = stmt.range.start - inner.len()..stmt.range.start;
        return Ok(Some(vec![Edit::replace(margin, indent)]));
    }
    if at == 0 {
        return Ok(Some(vec![
            Edit::insert(whole.range.start, format!("{call}\n{indent}")),
            gone,
        ]));
    }
    Err("it stands between other statements of the branch".to_owned())
}
