//! Whether two names may lead to the same memory.
//!
//! What a name stands for is followed through all that it is bound to, wherever that is, through what was put into it, through fields of the same
//! name, and through what callers in the file give. Two names are apart if these have nothing in common and each of them ends in memory that was
//! made new, or if one ends in memory that only its function knows. All else may be the same.

use std::collections::BTreeSet;

use crate::unit::{Language, Origin, Unit};

/// How deep calls are followed for what parameters stand for.
const DEPTH: u32 = 4;

/// The scope under which fields are kept.
const FIELDS: usize = usize::MAX;

/// Attributes of arrays that are the same memory, whatever a class of the file calls so.
const VIEWS: &[&str] = &["T", "real", "imag", "flat", "base", "data", "mT"];

/// What a name may stand for.
#[derive(Clone, Default)]
struct Reach {
    /// Names passed on the way, each with its scope.
    through: BTreeSet<(usize, String)>,
    /// Objects in which it may lie.
    within: BTreeSet<(usize, String)>,
    /// Parameters it may stand for.
    params: BTreeSet<(usize, usize)>,
    /// It comes out of a call that is not seen.
    unknown: bool,
    /// It is set elsewhere, or comes out of a function of the file, which may give whatever is not private.
    free: bool,
    /// It comes out of a function within this one, or out of a macro, and may be what is private here.
    nested: bool,
    /// Others can get at it: a name of the module, a field, something that was put elsewhere.
    open: bool,
}

impl Reach {
    fn is_new(&self) -> bool {
        !self.unknown && !self.free && self.params.is_empty()
    }

    /// All of it but what callers give.
    fn own(&self) -> Reach {
        Reach {
            params: BTreeSet::new(),
            ..self.clone()
        }
    }
}

/// Whether what two names stand for cannot share memory.
pub(crate) fn disjoint(unit: &Unit, scope: usize, a: &str, b: &str) -> bool {
    let reach = |path: &str| {
        let mut reach = Reach::default();
        follow(unit, scope, path, &mut reach);
        reach
    };
    apart(unit, &reach(a), &reach(b), DEPTH)
}

fn apart(unit: &Unit, a: &Reach, b: &Reach, depth: u32) -> bool {
    let common = !a.through.is_disjoint(&b.through)
        || !a.through.is_disjoint(&b.within)
        || !a.within.is_disjoint(&b.through);
    if common || a.nested || b.nested {
        return false;
    }
    let (new, private) = (a.is_new() && b.is_new(), |r: &Reach| r.is_new() && !r.open);
    if new || private(a) || private(b) {
        return true;
    }
    if a.free || b.free || depth == 0 {
        return false;
    }
    if a.unknown || b.unknown {
        // Of a function of another module, which knows nothing of what was made here.
        return unit.language == Language::Python
            && a.params.is_empty()
            && b.params.is_empty()
            && a.unknown != b.unknown;
    }
    // Only parameters are in doubt: what they are given.
    let pairs = a.params.iter().all(|&p| {
        b.params
            .iter()
            .all(|&q| p.0 == q.0 && given_apart(unit, p, Some(q), &Reach::default(), depth - 1))
    });
    let rest = |x: &Reach, y: &Reach| {
        let own = y.own();
        !own.open
            || x.params
                .iter()
                .all(|&p| given_apart(unit, p, None, &own, depth - 1))
    };
    pairs && rest(a, b) && rest(b, a)
}

/// Whether callers give a parameter what is apart from another, or from something else.
fn given_apart(
    unit: &Unit,
    p: (usize, usize),
    q: Option<(usize, usize)>,
    other: &Reach,
    depth: u32,
) -> bool {
    let here = &unit.scopes[p.0];
    let class = here.class.as_ref().filter(|_| here.name == "__init__");
    let name = class.unwrap_or(&here.name);
    let mut sites = unit.calls.iter().filter(|c| &c.callee == name).peekable();
    if sites.peek().is_none() {
        return false;
    }
    let params = &here.params;
    sites.all(|site| {
        let origin = |index: usize| {
            let named = site
                .args
                .iter()
                .find(|a| a.0.as_ref() == Some(&params[index]));
            let bound = site.method && params.first().is_some_and(|p| p == "self");
            let first = usize::from(bound || class.is_some());
            let placed = index.checked_sub(first).and_then(|i| site.args.get(i));
            named.or(placed.filter(|a| a.0.is_none())).map(|a| &a.1)
        };
        let reach = |index: usize| {
            let mut reach = Reach::default();
            follow_origin(unit, site.scope, origin(index)?, &mut reach);
            Some(reach)
        };
        let other = match q {
            Some(q) => reach(q.1),
            None => Some(other.clone()),
        };
        match (reach(p.1), other) {
            (Some(x), Some(y)) => apart(unit, &x, &y, depth),
            _ => false,
        }
    })
}

fn follow_origin(unit: &Unit, scope: usize, origin: &Origin, reach: &mut Reach) {
    let paths = match origin {
        Origin::Buffer | Origin::Fresh => return,
        Origin::Of(paths) | Origin::Copy(paths) => paths,
        Origin::Unknown(paths) => {
            reach.unknown = true;
            paths
        }
    };
    for path in paths {
        let name = path.rsplit('.').next().unwrap_or_default();
        if matches!(origin, Origin::Unknown(_)) && unit.defined.contains(name) {
            reach.free = true;
            let here = &unit.scopes[scope].range;
            reach.nested |= scope != 0
                && unit
                    .scopes
                    .iter()
                    .any(|s| s.name == name && here.contains(&s.range.start) && s.range != *here);
        }
        follow(unit, scope, path, reach);
    }
}

fn follow(unit: &Unit, scope: usize, path: &str, reach: &mut Reach) {
    match path.rsplit_once('.') {
        Some((object, field)) => follow_field(unit, scope, object, field, reach),
        None => follow_name(unit, scope, path, reach, true),
    }
}

fn follow_field(unit: &Unit, scope: usize, object: &str, field: &str, reach: &mut Reach) {
    // All fields of a name are one. A field of an object that is reached twice is followed once.
    let first = reach.through.insert((FIELDS, field.to_owned()));
    reach.open = true;
    let given = || unit.fields.iter().filter(|f| f.0 == field);
    let unseen = given().next().is_none();
    let view = match unit.language {
        Language::Python => VIEWS.contains(&field) && object != "self",
        Language::C => unit.overlaid,
    };
    if unseen || view {
        // It may be a part of the object's own memory.
        reach.free |= unseen
            && !unit.scopes[0]
                .bound
                .iter()
                .any(|b| b.0 == object && b.1 == Origin::Fresh);
        follow(unit, scope, object, reach);
    } else {
        let mut outer = Reach::default();
        follow_object(unit, scope, object, &mut outer);
        reach.within.extend(outer.through);
        reach.within.extend(outer.within);
    }
    if first {
        for (_, scope, origin) in given() {
            follow_origin(unit, *scope, origin, reach);
        }
    }
}

/// What the object of a field may be, and not what was put into it.
fn follow_object(unit: &Unit, scope: usize, object: &str, reach: &mut Reach) {
    match object.rsplit_once('.') {
        Some((outer, field)) => {
            reach.through.insert((FIELDS, field.to_owned()));
            follow_object(unit, scope, outer, reach);
        }
        None => follow_name(unit, scope, object, reach, false),
    }
}

fn follow_name(unit: &Unit, scope: usize, path: &str, reach: &mut Reach, contents: bool) {
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
        reach.free = true;
    }
    reach.open |= home == 0;
    // A macro that is more than an expression may name anything.
    reach.nested |= unit.macros.get(path).is_some_and(Option::is_none);
    // Who else writes to a name of the module.
    let elsewhere = |s: usize| match unit.language {
        Language::Python => unit.scopes[s].shared.contains(path),
        Language::C => !own(s),
    };
    let shared = |s: usize| s == home || home == 0 && elsewhere(s);
    for s in (0..unit.scopes.len()).filter(|&s| shared(s)) {
        reach.open |= unit.escaped.contains(&(s, path.to_owned()));
        for (_, origin) in unit.scopes[s].bound.iter().filter(|b| b.0 == path) {
            follow_origin(unit, s, origin, reach);
        }
        let held = unit.held.iter().filter(|h| h.0 == s && h.1 == path);
        for name in held.filter(|_| contents).flat_map(|h| &h.2) {
            follow(unit, s, name, reach);
        }
    }
}

/// Whether different elements of what a path stands for are different memory: they are of one array, or each was made new. A parameter is taken
/// for an array, as whoever gives one thing twice in a list must say so.
pub(crate) fn elements_apart(unit: &Unit, scope: usize, path: &str) -> bool {
    if unit.language == Language::C {
        let declared = |s: usize| unit.scopes[s].declared.contains(path);
        let param = unit.scopes[scope].params.iter().any(|p| p == path);
        let home = if declared(scope) || param { scope } else { 0 };
        return unit.scopes[home].numbers.contains(path);
    }
    one_of_each(unit, scope, path, &mut BTreeSet::new())
}

fn one_of_each(
    unit: &Unit,
    scope: usize,
    path: &str,
    seen: &mut BTreeSet<(usize, String)>,
) -> bool {
    if !seen.insert((scope, path.to_owned())) {
        return true;
    }
    let mut one = |s: usize, origin: &Origin| match origin {
        Origin::Buffer | Origin::Fresh => true,
        Origin::Of(paths) | Origin::Copy(paths) if paths.len() == 1 => {
            one_of_each(unit, s, &paths[0], seen)
        }
        _ => false,
    };
    if let Some((_, field)) = path.rsplit_once('.') {
        let mut given = unit.fields.iter().filter(|f| f.0 == field);
        return given.all(|(_, s, origin)| one(*s, origin));
    }
    let bound = |s: usize| unit.scopes[s].bound.iter().filter(|b| b.0 == path);
    let home = match bound(scope).next().is_some() || scope == 0 {
        true => scope,
        false => 0,
    };
    let held = unit.held.iter();
    let held = held.filter(|h| h.1 == path && (h.0 == home || home == 0) && !h.2.is_empty());
    held.count() == 0 && bound(home).all(|b| one(home, &b.1))
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
