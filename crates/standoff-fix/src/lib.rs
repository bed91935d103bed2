//! From a deadlock that standoff found, and the source file it lies in, to patches that may cure it.
//!
//! Pure: text in, edits out. Nothing here is proof. A [`Candidate`] respects the data dependences that are seen
//! (see `depend.rs` for what that means), and no more: whoever applies it must check the patched program. Where a
//! dependence is in doubt there is no candidate but a reason in [`Proposal::refused`].
//!
//! What it may miss: sends and receives in different methods or files, macros of headers, calls through wrappers, memory
//! that an unknown function kept and gives out under another name.
#![forbid(unsafe_code)]

mod alias;
mod c;
mod collective;
mod correct;
mod depend;
pub mod edit;
mod exchange;
mod guard;
mod join;
mod leave;
mod order;
mod postpone;
mod python;
mod signatures;
mod summary;
mod unit;

use std::path::Path;

use standoff_report::{AgentEntry, Finding, Op};

pub use edit::Edit;
pub use unit::Language;

use exchange::Exchange;
use unit::{Kind, Unit};

/// Sorts of repairs, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Repair {
    /// The order of communications changes on one side.
    Swap,
    /// A send and a receive become one call.
    Join,
    /// A send does not block, its wait comes after the receive.
    Nonblocking,
    /// A collective leaves the branch that not all ranks take, or those who leave before it call it, too.
    Collective,
    /// A tag, root or communicator becomes what the other side has.
    Correct,
    /// An exception ends the job. Not a cure.
    Guard,
    /// Both sides send first. No cure: it relies on buffering. Made only to be refused with the size at which it hangs.
    HalfCure,
}

impl Repair {
    /// As the JSON names it.
    pub fn name(self) -> &'static str {
        match self {
            Repair::Swap => "swap",
            Repair::Join => "join",
            Repair::Nonblocking => "nonblocking",
            Repair::Collective => "move-collective",
            Repair::Correct => "correct",
            Repair::Guard => "guard",
            Repair::HalfCure => "half-cure",
        }
    }
}

/// A patch that may cure the deadlock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What it does.
    pub repair: Repair,
    /// One sentence: what it does and why that may help.
    pub why: String,
    /// Of the file.
    pub edits: Vec<Edit>,
    /// It moves statements around the calls in which ranks are stuck. If the patched program hangs in other statements, these may have been
    /// moved before the ones that hung, which still do.
    pub around: bool,
}

/// What can be tried, best first, and what was not tried and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proposal {
    /// To be checked.
    pub candidates: Vec<Candidate>,
    /// One sentence each.
    pub refused: Vec<String>,
}

/// The language of a file, by its name.
pub fn language(path: &Path) -> Option<Language> {
    match path.extension()?.to_str()? {
        "py" => Some(Language::Python),
        "c" | "h" => Some(Language::C),
        _ => None,
    }
}

/// Patches of the file that the finding, of a job of so many ranks, calls `file`, whose text is `text`. An error says why the file cannot be
/// patched at all.
pub fn propose(
    finding: &Finding,
    ranks: u32,
    file: &str,
    language: Language,
    text: &str,
) -> Result<Proposal, String> {
    let unit = match language {
        Language::Python => python::parse(text)?,
        Language::C => c::parse(text)?,
    };
    let mut out = Proposal::default();
    exchanges(&unit, finding, file, &mut out);
    collective::candidates(&unit, finding, file, &mut out);
    let (made, said) = (out.candidates.len(), out.refused.len());
    order::candidates(&unit, finding, file, &mut out);
    postpone::candidates(&unit, finding, file, &mut out);
    leave::candidates(&unit, finding, file, &mut out);
    if made > 0 && out.candidates.len() == made {
        // These look further, and need not say why they found no more.
        out.refused.truncate(said);
    }
    correct::candidates(&unit, finding, file, ranks, &mut out);
    guard::candidates(&unit, finding, file, &mut out);
    out.candidates
        .retain(|c| edit::apply(text, &c.edits).is_some_and(|t| t != text));
    // The first that made it has the words for it.
    let mut seen = Vec::new();
    out.candidates.retain(|c| {
        let new = !seen.contains(&c.edits);
        seen.push(c.edits.clone());
        new
    });
    out.candidates.sort_by_key(|c| c.repair);
    out.refused.sort();
    out.refused.dedup();
    Ok(out)
}

/// A statement in which ranks are stuck.
#[derive(Debug)]
pub(crate) struct Place {
    pub block: usize,
    pub at: usize,
    pub ranks: Vec<u32>,
}

/// The statements of the file in which the core is stuck.
pub(crate) fn places(unit: &Unit, finding: &Finding, file: &str) -> Vec<Place> {
    let mut out: Vec<Place> = Vec::new();
    for entry in finding.core.iter().filter(|e| e.state.is_none()) {
        let Some((block, at)) = locate(unit, entry, file) else {
            continue;
        };
        match out.iter_mut().find(|p| (p.block, p.at) == (block, at)) {
            Some(place) => place.ranks.push(entry.rank),
            None => out.push(Place {
                block,
                at,
                ranks: vec![entry.rank],
            }),
        }
    }
    out
}

fn locate(unit: &Unit, entry: &AgentEntry, file: &str) -> Option<(usize, usize)> {
    let frame = entry
        .stack
        .first()
        .filter(|f| f.file.as_deref() == Some(file))?;
    let row = frame.line?.checked_sub(1)? as usize;
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (b, block) in unit.blocks.iter().enumerate() {
        for (s, stmt) in block.stmts.iter().enumerate() {
            if (stmt.rows.0..=stmt.rows.1).contains(&row) && stmt.comm.is_some() {
                found.push((b, s));
            }
        }
    }
    let stmt = |&(b, s): &(usize, usize)| &unit.blocks[b].stmts[s];
    let fits = |at: &&(usize, usize)| {
        let Some(comm) = &stmt(at).comm else {
            return false;
        };
        let named = entry.user_call.as_deref().unwrap_or(&entry.call);
        let name = named.split('(').next().unwrap_or_default();
        let name = name.rsplit('.').next().unwrap_or_default();
        let kind = match (entry.op.as_ref(), comm.kind) {
            (Some(Op::Recv | Op::Probe), kind) => kind == Kind::Recv,
            (Some(Op::Send), kind) => kind == Kind::Send,
            (Some(Op::Ssend), kind) => kind == Kind::Ssend,
            (Some(Op::Wait), kind) => kind == Kind::Wait,
            (Some(Op::Collective), kind) => kind == Kind::Collective,
            _ => false,
        };
        comm.name == name || comm.name == entry.call || kind
    };
    let size = |at: &&(usize, usize)| stmt(at).range.len();
    found.iter().filter(fits).min_by_key(size).copied()
}

/// Names of ranks: `rank 1`, `ranks 0, 1 and 2`.
pub(crate) fn who(ranks: &[u32]) -> String {
    match ranks {
        [one] => format!("rank {one}"),
        [head @ .., last] if head.len() < 6 => {
            let head: Vec<String> = head.iter().map(u32::to_string).collect();
            format!("ranks {} and {last}", head.join(", "))
        }
        more => format!("{} ranks", more.len()),
    }
}

/// Lines in which ranks are stuck in a call within another, or in one that is not understood.
fn unplaced(unit: &Unit, finding: &Finding, file: &str, out: &mut Proposal) {
    for entry in finding.core.iter().filter(|e| e.state.is_none()) {
        let frame = entry.stack.first();
        let line = frame.filter(|f| f.file.as_deref() == Some(file));
        if let Some(line) = line.and_then(|f| f.line)
            && locate(unit, entry, file).is_none()
        {
            out.refused.push(format!(
                "The call in line {line} is part of something larger, so there is nothing to reorder there."
            ));
        }
    }
}

fn exchanges(unit: &Unit, finding: &Finding, file: &str, out: &mut Proposal) {
    let places = places(unit, finding, file);
    unplaced(unit, finding, file, out);
    let mut sides: Vec<(&Place, Exchange)> = Vec::new();
    for place in &places {
        let kind = unit.blocks[place.block].stmts[place.at]
            .comm
            .as_ref()
            .map(|c| c.kind);
        if kind == Some(Kind::Collective) {
            continue;
        }
        match exchange::around(unit, place.block, place.at) {
            Ok(exchange) => sides.push((place, exchange)),
            Err(why) => out
                .refused
                .push(format!("{why}, so there is nothing to reorder there.")),
        }
    }
    let mut offer =
        |repair: Repair, made: Result<Vec<Edit>, String>, why: String, what: &str| match made {
            Ok(edits) => out.candidates.push(Candidate {
                repair,
                why,
                edits,
                around: false,
            }),
            Err(reason) => out.refused.push(format!("{what}: {reason}.")),
        };
    let one = places.len() == 1;
    let mut halves = Vec::new();
    for (place, side) in &sides {
        let who = who(&place.ranks);
        let line = unit.blocks[place.block].stmts[place.at].rows.0 + 1;
        let sends = side.stuck(unit).sends();
        let (now, then) = if sends {
            ("receives", "sends")
        } else {
            ("sends", "receives")
        };
        if side.stuck_wait(unit) {
            let why = "The wait comes after the call that releases the other side.".to_owned();
            offer(
                Repair::Nonblocking,
                side.swap(unit),
                why,
                &format!("moving the wait in line {line}"),
            );
            continue;
        }
        let what = format!("swapping send and receive around line {line}");
        if one {
            for condition in side.conditions(unit, place.ranks.len() == 2) {
                let some = match &condition {
                    exchange::Condition::Parity if sends => {
                        "odd ranks receive first, even ranks send first".to_owned()
                    }
                    exchange::Condition::Parity => {
                        "odd ranks send first, even ranks receive first".to_owned()
                    }
                    exchange::Condition::Before(_) => {
                        format!("of each pair, one {now} before it {then}")
                    }
                };
                let why = format!("The order is swapped for some ranks: {some}.");
                offer(Repair::Swap, side.swap_if(unit, &condition), why, &what);
            }
        } else {
            let why = format!("{} {now} before it {then}.", capital(&who));
            offer(Repair::Swap, side.swap(unit), why, &what);
        }
        if !sends {
            halves.push(side.swap(unit));
        }
        let why = format!(
            "The send around line {line} does not block; its wait comes after the receive."
        );
        let what = format!("making the send around line {line} nonblocking");
        offer(Repair::Nonblocking, side.nonblocking(unit), why, &what);
    }
    let waits = sides.iter().any(|s| s.1.stuck_wait(unit));
    if sides.is_empty() || waits {
        return;
    }
    let joined: Vec<_> = sides.iter().map(|s| s.1.join(unit)).collect();
    let all = sides.len() == places.len() && joined.iter().all(Result::is_ok);
    if all {
        let edits = joined.into_iter().flatten().flatten().collect();
        let why = "Send and receive are one call, in which neither waits for the other.".to_owned();
        offer(Repair::Join, Ok(edits), why, "");
    } else {
        for ((place, _), made) in sides.iter().zip(joined) {
            let line = unit.blocks[place.block].stmts[place.at].rows.0 + 1;
            let why = format!(
                "{} sends and receives in one call.",
                capital(&who(&place.ranks))
            );
            offer(
                Repair::Join,
                made,
                why,
                &format!("joining send and receive around line {line}"),
            );
        }
    }
    if halves.len() == places.len() && halves.iter().all(Result::is_ok) {
        let edits = halves.into_iter().flatten().flatten().collect();
        offer(
            Repair::HalfCure,
            Ok(edits),
            "Both sides send first.".to_owned(),
            "",
        );
    }
}

pub(crate) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}
