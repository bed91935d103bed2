//! Data dependences: whether two statements of a block may change places.
//!
//! Definition. Two statements commute if neither binds or writes what the other reads, binds or writes, neither may do what is not seen here (a
//! call of an unknown function, output), and neither leaves the block. What a name stands for is followed through the assignments of its
//! function, of the module, and, for parameters, through the calls in the same file (see `alias.rs`); flow is not followed: an assignment counts
//! wherever it is.
//!
//! Reference: the statement-level part of Ferrante, Ottenstein and Warren's program dependence graph (TOPLAS 1987), with the alias classes of
//! Steensgaard (POPL 1996) in place of a points-to analysis.
//!
//! Limit: an object that an unknown function kept, and gives out again under another name, is not seen.

use crate::alias::{disjoint, elements_apart};
use crate::unit::{Access, Effect, Language, Unit};

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
                if apart(written, read) && elements_apart(unit, scope, &written.path) {
                    continue;
                }
                return Err(format!("`{}` is needed in this order", written.path));
            }
            if read.deep && !disjoint(unit, scope, &written.path, &read.path) {
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
