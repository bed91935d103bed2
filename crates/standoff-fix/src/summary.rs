//! What calling a function of the same file does, as far as its body shows it.
//!
//! Only functions of the module (the file) that are called by a name which stands for nothing else: a method may be another object's, a decorated
//! function is whatever the decorator makes of it. One that does anything not seen here, that binds or writes what is not its own or a parameter,
//! that keeps something between calls (C's `static`), or that may raise, has no summary, and a call of it may do anything.

use crate::signatures::mpi_calls;
use crate::unit::{Access, Comm, Effect, Kind, Language, Origin, Stmt, Unit};

/// How deep calls are followed.
const DEPTH: u32 = 3;

/// A function, called.
#[derive(Debug, Default)]
struct Summary {
    /// Names of the module that it reads.
    reads: Vec<Access>,
    /// What it is given may be written.
    writes: bool,
    comm: bool,
}

/// An effect in which calls of functions that are known are what these do.
pub(crate) fn resolved(unit: &Unit, effect: &Effect) -> Effect {
    let mut out = effect.clone();
    let summaries = effect.calls.iter().map(|(name, _)| of(unit, name, DEPTH));
    let Some(summaries) = summaries.collect::<Option<Vec<_>>>() else {
        return out;
    };
    out.calls.clear();
    for summary in summaries {
        out.comm |= summary.comm;
        if summary.writes {
            // Whatever the statement reads may be what the function is given.
            let given = effect.reads.iter().filter(|a| a.deep).cloned();
            out.mutates.extend(given);
        }
        out.reads.extend(summary.reads);
    }
    out
}

/// Calls of MPI in a statement, in the blocks within it, and in the functions it calls; `None` if they are not all known.
pub(crate) fn comms(unit: &Unit, block: usize, at: usize) -> Option<Vec<&Comm>> {
    comms_to(unit, block, at, DEPTH)
}

fn comms_to(unit: &Unit, block: usize, at: usize, depth: u32) -> Option<Vec<&Comm>> {
    let stmt = &unit.blocks[block].stmts[at];
    let scope = unit.blocks[block].scope;
    let mut out = Vec::new();
    let within =
        |n: &usize| unit.blocks[*n].owner == Some((block, at)) && unit.blocks[*n].scope == scope;
    let inner: Vec<usize> = (0..unit.blocks.len()).filter(within).collect();
    if inner.is_empty() {
        if let Some(comm) = &stmt.comm {
            if comm.unclear || mpi_calls(unit.language, unit.slice(stmt.range.clone())) != 1 {
                return None;
            }
            out.push(comm);
        } else if stmt.effect.comm {
            return None;
        }
        for (name, _) in &stmt.effect.calls {
            let body = function(unit, name).filter(|_| depth > 0)?;
            for n in 0..unit.blocks[body].stmts.len() {
                out.extend(comms_to(unit, body, n, depth - 1)?);
            }
        }
        return Some(out);
    }
    // What stands in the head of a compound statement is not looked at one by one.
    let head = unit.slice(stmt.range.start..unit.blocks[inner[0]].stmts.first()?.range.start);
    if mpi_calls(unit.language, head) > 0 {
        return None;
    }
    for block in inner {
        for n in 0..unit.blocks[block].stmts.len() {
            out.extend(comms_to(unit, block, n, depth)?);
        }
    }
    Some(out)
}

/// The block of a function of the module, or of the file.
fn function(unit: &Unit, name: &str) -> Option<usize> {
    let mut scopes = unit
        .scopes
        .iter()
        .enumerate()
        .filter(|(_, s)| s.name == name);
    let (Some((scope, _)), None) = (scopes.next(), scopes.next()) else {
        return None;
    };
    let bound = unit.scopes.iter().flat_map(|s| &s.bound);
    let params = unit.scopes.iter().flat_map(|s| &s.params);
    let bound = bound.filter(|b| b.0 == name).count();
    if params.into_iter().any(|p| p == name) {
        return None;
    }
    if unit.language == Language::C {
        let body = unit
            .blocks
            .iter()
            .position(|b| b.scope == scope && b.owner.is_none());
        return body.filter(|_| bound == 0);
    }
    let once = bound == 1;
    let body = unit.blocks.iter().position(|b| {
        b.scope == scope
            && b.owner
                .is_some_and(|(outer, _)| unit.blocks[outer].scope != scope)
    })?;
    let (outer, at) = unit.blocks[body].owner?;
    let text = unit.slice(unit.blocks[outer].stmts[at].range.clone());
    (once && outer == 0 && text.starts_with("def ")).then_some(body)
}

fn of(unit: &Unit, name: &str, depth: u32) -> Option<Summary> {
    if depth == 0 {
        return None;
    }
    let body = function(unit, name)?;
    let scope = unit.blocks[body].scope;
    let here = &unit.scopes[scope];
    if !here.shared.is_empty() || here.defaults {
        return None;
    }
    let blocks = unit.blocks.iter().enumerate();
    for (id, block) in blocks.filter(|(_, b)| b.scope == scope) {
        for (at, stmt) in block.stmts.iter().enumerate() {
            let kept = unit.slice(stmt.range.clone()).starts_with("static ");
            if kept || stmt.effect.jumps && !leaves_quietly(unit, id, at, stmt) {
                return None;
            }
        }
    }
    let mut effect = Effect::default();
    for stmt in &unit.blocks[body].stmts {
        effect.add(&stmt.effect);
    }
    let mut summary = Summary::default();
    for (name, _) in std::mem::take(&mut effect.calls) {
        let called = of(unit, &name, depth - 1)?;
        summary.comm |= called.comm;
        summary.reads.extend(called.reads);
        // What it writes may be a local object, a parameter or neither.
        if called.writes {
            return None;
        }
    }
    effect.opaque.is_none().then_some(())?;
    let param = |name: &str| here.params.iter().any(|p| p == name);
    let local = |name: &str| match unit.language {
        Language::Python => here.bound.iter().any(|b| b.0 == name),
        Language::C => here.declared.contains(name) && !unit.scopes[0].declared.contains(name),
    };
    let root = |path: &str| path.split('.').next().unwrap_or_default().to_owned();
    for bound in &effect.binds {
        if bound.contains('.') {
            return None;
        }
    }
    for written in &effect.mutates {
        let name = root(&written.path);
        let own = here.bound.iter().filter(|b| b.0 == name);
        let fresh = own
            .clone()
            .all(|b| matches!(b.1, Origin::Buffer | Origin::Fresh))
            && !unit.held.iter().any(|h| h.0 == scope && h.1 == name);
        match () {
            () if param(&name) && !local(&name) => summary.writes = true,
            () if local(&name) && !param(&name) && fresh && written.path == name => {}
            () => return None,
        }
    }
    let outside = |a: &&Access| !param(&root(&a.path)) && !local(&root(&a.path));
    summary
        .reads
        .extend(effect.reads.iter().filter(outside).cloned());
    summary.comm |= effect.comm;
    Some(summary)
}

/// A jump that ends nothing but the function: `return`, or a loop of it.
fn leaves_quietly(unit: &Unit, block: usize, at: usize, stmt: &Stmt) -> bool {
    let compound = unit.blocks.iter().any(|b| b.owner == Some((block, at)));
    let text = unit.slice(stmt.range.clone());
    compound
        || ["return", "break", "continue"]
            .iter()
            .any(|w| text.starts_with(w))
}

/// Whether two calls keep their meaning if they change places on some ranks only.
pub(crate) fn exchangeable(a: &Comm, b: &Comm, constant: impl Fn(&str) -> bool) -> bool {
    let sends = |c: &Comm| c.sends() || matches!(c.kind, Kind::Isend | Kind::Sendrecv);
    let takes = |c: &Comm| matches!(c.kind, Kind::Recv | Kind::Irecv | Kind::Sendrecv);
    let all = |c: &Comm| matches!(c.kind, Kind::Collective | Kind::Icollective);
    if all(a) && all(b) {
        // The same collective twice: one would get what is meant for the other. Different ones must be in the same order on all ranks, which is
        // seen; a barrier carries nothing.
        let name = |c: &Comm| {
            let name = c.name.to_lowercase();
            name.strip_prefix("mpi_")
                .map_or(name.clone(), str::to_owned)
        };
        let barrier = |c: &Comm| matches!(name(c).as_str(), "barrier" | "ibarrier");
        return barrier(a) || barrier(b) || name(a) != name(b);
    }
    if all(a) && takes(b) && any_source(b) || all(b) && takes(a) && any_source(a) {
        // What others send after the collective could be taken, too, or only that.
        return false;
    }
    if sends(a) && sends(b) || takes(a) && takes(b) {
        // Two of one sort on the same way: which message is which goes by their order.
        return match (a.text("tag"), b.text("tag")) {
            (Some(x), Some(y)) => {
                let any = |t: &str| t.ends_with("ANY_TAG");
                x != y && !any(x) && !any(y) && constant(x) && constant(y)
            }
            _ => false,
        };
    }
    true
}

/// A receive that takes from whoever sends first.
fn any_source(comm: &Comm) -> bool {
    comm.text("source")
        .is_none_or(|s| s.ends_with("ANY_SOURCE"))
}
