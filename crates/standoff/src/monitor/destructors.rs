//! Communication in code that Python runs when it sees fit: destructors, finalizers, callbacks of the garbage collection.

use std::collections::BTreeMap;

use standoff_report::{AgentEntry, Frame};

use super::places::{at, capital};
use super::report::ranks;

/// What the probe names as the caller of functions in `gc.callbacks`.
const COLLECTION: &str = "<garbage collection>";

/// Agents of the core that are in a destructor, a finalizer or a callback of the garbage collection: a sentence for each place.
pub fn destructors(core: &[AgentEntry]) -> Vec<String> {
    let mut places: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for entry in core {
        let stack = &entry.stack;
        let named = |name: &str| {
            let mut frames = stack.iter();
            frames.position(|f| f.function.as_deref() == Some(name))
        };
        let in_file = |f: &Frame, end: &str| {
            let file = f.file.as_deref();
            file.is_some_and(|file| file.ends_with(end))
        };
        let place = |frame: &Frame| {
            let place = at(frame);
            place.map_or(String::new(), |place| format!(" at {place}"))
        };
        let collecting = stack.iter().position(|f| in_file(f, COLLECTION));
        let finalizer = stack.iter().rposition(|f| in_file(f, "/weakref.py"));
        let (what, outer) = if let Some(at) = named("__del__") {
            let frame = &stack[at];
            let what = format!("in a destructor (__del__{})", place(frame));
            (what, stack.get(at + 1))
        } else if let Some(at) = finalizer {
            ("in a finalizer (weakref)".to_owned(), stack.get(at + 1))
        } else if let Some(at) = collecting.filter(|at| *at > 0) {
            let frame = &stack[at - 1];
            let name = frame.function.as_deref().unwrap_or("a function");
            let what = format!(
                "in a callback of the garbage collection ({name}{})",
                place(frame)
            );
            (what, stack.get(at + 1))
        } else {
            continue;
        };
        let ran = outer.and_then(at);
        let ran = ran.map_or(String::new(), |p| format!(", which Python ran at {p}"));
        places
            .entry(format!("{what}{ran}"))
            .or_default()
            .push(entry.rank);
    }
    let mut out: Vec<String> = places
        .into_iter()
        .take(3)
        .map(|(what, who)| {
            let is = if who.len() == 1 { "is" } else { "are" };
            let text = format!("{} {is} {what}.", ranks(&who));
            capital(&text)
        })
        .collect();
    if !out.is_empty() {
        out.push(
            "When an object is destroyed is decided on each rank by itself (by its references, or by the garbage \
             collection), so what is called then must not communicate."
                .to_owned(),
        );
    }
    out
}

/// Takes out the mark of the garbage collection, which is no function of anybody's.
pub fn unmark(entries: &mut [AgentEntry]) {
    for entry in entries {
        let marked = |f: &Frame| f.file.as_deref() == Some(COLLECTION);
        entry.stack.retain(|f| !marked(f));
    }
}
