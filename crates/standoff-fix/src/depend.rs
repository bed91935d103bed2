//! Data dependences: whether two statements of a block may change places.
//!
//! Definition. Two statements commute if neither binds or writes what the other reads, binds or writes, neither may do what is not seen here (a
//! call of an unknown function, output), and neither leaves the block. What a name stands for is followed through the assignments of its
//! function, of the module, and, for parameters, through the calls in the same file; flow is not followed: an assignment counts wherever it is.
//! Two names are taken to share memory unless one of them can only stand for memory that was made new where it is used.
//!
//! Reference: the statement-level part of Ferrante, Ottenstein and Warren's program dependence graph (TOPLAS 1987), with the alias classes of
//! Steensgaard (POPL 1996) in place of a points-to analysis.
//!
//! Limit: an object that an unknown function kept, and gives out again under another name, is not seen.

use std::collections::BTreeSet;

use crate::unit::{Access, Effect, Language, Origin, Unit};

/// How deep calls are followed for what parameters stand for.
const DEPTH: u32 = 4;

/// Why two statements must stay in their order; `Ok` if they need not. Whether both communicate is the caller's to judge.
pub(crate) fn commute(unit: &Unit, scope: usize, x: &Effect, y: &Effect) -> Result<(), String> {
    for effect in [x, y] {
        if let Some(why) = effect.doubt() {
            return Err(why);
        }
        if effect.jumps {
            return Err("a statement between may leave the block".to_owned());
        }
    }
    one_way(unit, scope, x, y)?;
    one_way(unit, scope, y, x)
}

/// What `x` does to what `y` needs.
fn one_way(unit: &Unit, scope: usize, x: &Effect, y: &Effect) -> Result<(), String> {
    for bound in &x.binds {
        let mut used = y.reads.iter().chain(&y.mutates).map(|a| &a.path);
        if used.any(|p| related(bound, p)) || y.binds.iter().any(|p| related(bound, p)) {
            return Err(format!("`{bound}` is needed in this order"));
        }
        if bound.contains('.') {
            for read in &y.reads {
                computed(unit, &read.path)?;
            }
        }
    }
    for written in &x.mutates {
        for read in y.reads.iter().chain(&y.mutates) {
            if related(&written.path, &read.path) {
                if apart(written, read) {
                    continue;
                }
                return Err(format!("`{}` is needed in this order", written.path));
            }
            if read.deep && !disjoint(unit, scope, &written.path, &read.path, DEPTH) {
                return Err(format!(
                    "`{}` and `{}` may be the same memory",
                    written.path, read.path
                ));
            }
        }
    }
    Ok(())
}

/// An attribute that only looks like one may depend on others.
fn computed(unit: &Unit, path: &str) -> Result<(), String> {
    let Some((_, name)) = path.rsplit_once('.') else {
        return Ok(());
    };
    let plain = unit.language == Language::C
        || matches!(name, "rank" | "size")
        || unit.fields.iter().any(|f| f.0 == name) && !unit.defined.contains(name);
    match plain {
        true => Ok(()),
        false => Err(format!("`{path}` may be computed when it is read")),
    }
}

/// One is the other, or a part of it.
fn related(a: &str, b: &str) -> bool {
    let within = |a: &str, b: &str| {
        a.strip_prefix(b)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    within(a, b) || within(b, a)
}

/// Known parts of one array that do not overlap.
fn apart(a: &Access, b: &Access) -> bool {
    let (Some((a0, a1)), Some((b0, b1))) = (a.part, b.part) else {
        return false;
    };
    a.path == b.path && (a0 < 0) == (b0 < 0) && (a1 <= b0 || b1 <= a0)
}

/// What a name may stand for.
#[derive(Default)]
struct Reach {
    /// Names passed on the way, each with its scope.
    through: BTreeSet<(usize, String)>,
    /// Parameters it may stand for.
    params: BTreeSet<(usize, usize)>,
    unknown: bool,
}

/// Whether what two names stand for cannot share memory.
pub(crate) fn disjoint(unit: &Unit, scope: usize, a: &str, b: &str, depth: u32) -> bool {
    let reach = |path: &str| {
        let mut reach = Reach::default();
        follow(unit, scope, path, &mut reach);
        reach
    };
    apart_reaches(unit, &reach(a), &reach(b), depth)
}

fn apart_reaches(unit: &Unit, a: &Reach, b: &Reach, depth: u32) -> bool {
    if !a.through.is_disjoint(&b.through) {
        return false;
    }
    let fresh = |r: &Reach| !r.unknown && r.params.is_empty();
    if fresh(a) || fresh(b) {
        return true;
    }
    if a.unknown || b.unknown || depth == 0 {
        return false;
    }
    // Only parameters are in doubt: what they are given.
    a.params.iter().all(|&p| {
        b.params
            .iter()
            .all(|&q| p.0 == q.0 && given_apart(unit, p, q, depth - 1))
    })
}

fn given_apart(unit: &Unit, p: (usize, usize), q: (usize, usize), depth: u32) -> bool {
    let name = &unit.scopes[p.0].name;
    let mut sites = unit.calls.iter().filter(|c| &c.callee == name).peekable();
    if sites.peek().is_none() {
        return false;
    }
    let params = &unit.scopes[p.0].params;
    sites.all(|site| {
        let origin = |index: usize| {
            let named = site
                .args
                .iter()
                .find(|a| a.0.as_ref() == Some(&params[index]));
            let first = usize::from(site.method && params.first().is_some_and(|p| p == "self"));
            let placed = index.checked_sub(first).and_then(|i| site.args.get(i));
            named.or(placed.filter(|a| a.0.is_none())).map(|a| &a.1)
        };
        let (Some(x), Some(y)) = (origin(p.1), origin(q.1)) else {
            return false;
        };
        let reach = |origin: &Origin| {
            let mut reach = Reach::default();
            follow_origin(unit, site.scope, origin, &mut reach);
            reach
        };
        apart_reaches(unit, &reach(x), &reach(y), depth)
    })
}

fn follow_origin(unit: &Unit, scope: usize, origin: &Origin, reach: &mut Reach) {
    match origin {
        Origin::Buffer | Origin::Fresh => {}
        Origin::Of(paths) => {
            for path in paths {
                follow(unit, scope, path, reach);
            }
        }
        Origin::Unknown(paths) => {
            reach.unknown = true;
            for path in paths {
                follow(unit, scope, path, reach);
            }
        }
    }
}

fn follow(unit: &Unit, scope: usize, path: &str, reach: &mut Reach) {
    if let Some((_, field)) = path.rsplit_once('.') {
        // All fields of a name are one; they are apart from everything if each was made new.
        if !reach.through.insert((usize::MAX, field.to_owned())) {
            return;
        }
        let mut given = unit.fields.iter().filter(|f| f.0 == field).peekable();
        reach.unknown |=
            given.peek().is_none() || !given.all(|f| matches!(f.1, Origin::Buffer | Origin::Fresh));
        return;
    }
    let here = &unit.scopes[scope];
    let bound = |s: usize| unit.scopes[s].bound.iter().any(|b| b.0 == path);
    let param = here.params.iter().position(|p| p == path);
    let own = |s: usize| match unit.language {
        Language::Python => bound(s) && !unit.scopes[s].shared.contains(path),
        Language::C => unit.scopes[s].declared.contains(path),
    };
    let home = if own(scope) || param.is_some() && !here.shared.contains(path) {
        scope
    } else {
        0
    };
    if !reach.through.insert((home, path.to_owned())) {
        return;
    }
    if home == scope
        && let Some(index) = param
    {
        reach.params.insert((scope, index));
    } else if !bound(home) {
        reach.unknown = true;
    }
    // Who else writes to a name of the module.
    let elsewhere = |s: usize| match unit.language {
        Language::Python => unit.scopes[s].shared.contains(path),
        Language::C => !own(s),
    };
    let shared = |s: usize| s == home || home == 0 && elsewhere(s);
    for s in (0..unit.scopes.len()).filter(|&s| shared(s)) {
        for (_, origin) in unit.scopes[s].bound.iter().filter(|b| b.0 == path) {
            follow_origin(unit, s, origin, reach);
        }
    }
}

/// Whether the elements of this name are numbers in memory of its own, so that storing into it copies.
pub(crate) fn holds_numbers(unit: &Unit, scope: usize, path: &str) -> bool {
    let mut origins = unit.scopes[scope]
        .bound
        .iter()
        .filter(|b| b.0 == path)
        .peekable();
    origins.peek().is_some() && origins.all(|b| b.1 == Origin::Buffer)
}
