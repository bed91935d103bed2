//! Patches as text and as JSON.

use std::io::{self, Write};

use serde_json::{Value, json};
use standoff_fix::{Repair, edit};
use standoff_report::Report;

use super::speed::Speed;
use super::trial::Size;
use super::{Done, Patch};
use crate::error::Error;

/// Schema of the JSON.
const SCHEMA: &str = "standoff-fix/1";
/// What a proof is of.
const SCOPE: &str = "A proof is for this input and these numbers of ranks: no execution that MPI allows deadlocks, each rank being deterministic. That \
                     the results are right is not proved.";

fn status(patch: &Patch) -> &'static str {
    match patch.proved() {
        _ if patch.repair == Repair::Guard => "guard",
        true => "proved",
        false => "checked",
    }
}

fn ranks(sizes: &[&Size]) -> String {
    let list: Vec<String> = sizes
        .iter()
        .filter_map(|s| s.ranks)
        .map(|n| n.to_string())
        .collect();
    match list.as_slice() {
        [] => "with the launcher's number of ranks".to_owned(),
        [one] if one == "1" => "with 1 rank".to_owned(),
        [one] => format!("with {one} ranks"),
        [head @ .., last] => format!("with {} and {last} ranks", head.join(", ")),
    }
}

fn result(patch: &Patch) -> String {
    if patch.repair == Repair::Guard {
        return "a guard: it cures nothing, but the job ends instead of hanging".to_owned();
    }
    let (all, some): (Vec<&Size>, Vec<&Size>) =
        patch.cured.sizes.iter().partition(|s| s.bound.is_none());
    let mut parts = Vec::new();
    if !all.is_empty() {
        parts.push(format!("proved deadlock-free {}", ranks(&all)));
    }
    if let Some(bound) = some.first().and_then(|s| s.bound.as_deref()) {
        parts.push(format!(
            "checked {} (not everything: {bound})",
            ranks(&some)
        ));
    }
    parts.join("; ")
}

/// How long it runs, in a sentence.
fn took(speed: &Speed, original: Option<&Speed>) -> String {
    let seconds = |s: &Speed| format!("{:.2} s", s.median().as_secs_f64());
    let mut text = format!(
        "A run took {} (median of {}, with the start of MPI",
        seconds(speed),
        speed.runs()
    );
    if let Some(original) = original {
        text += &format!("; as it is {}", seconds(original));
    }
    text += ")";
    if let Some(times) = speed.slower {
        text += &format!(", {times:.1} times as long as the fastest");
    }
    text + "."
}

/// Writes it to standard output.
pub fn text(done: &Done, nothing: bool) -> Result<(), Error> {
    let mut out = String::new();
    for (n, patch) in (1..).zip(&done.patches) {
        out += &format!(
            "\n{n}. {}: {}\n   {}\n",
            patch.repair.name(),
            patch.why,
            result(patch)
        );
        if let Some(speed) = &patch.speed {
            out += &format!("   {}\n", took(speed, done.speed.as_ref()));
        }
        if let Some(differs) = &patch.differs {
            out += &format!("   Its output differs: {differs}.\n");
        }
        for change in &patch.changes {
            out += &edit::diff(&change.name, &change.old, &change.new);
        }
    }
    if !done.refused.is_empty() {
        out += "\nNot offered:\n";
        for line in &done.refused {
            out += &format!("- {line}\n");
        }
    }
    match done.patches.is_empty() {
        true if nothing => out += "Nothing to fix.\n",
        true => out += "\nNo patch was found.\n",
        false => out += &format!("\n{SCOPE}\n"),
    }
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(out.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(source) if source.kind() != io::ErrorKind::BrokenPipe => Err(Error::System {
            what: "cannot write to standard output",
            source,
        }),
        _ => Ok(()),
    }
}

/// The JSON, of schema `standoff-fix/1`.
pub fn json(done: &Done, report: &Report) -> Vec<u8> {
    let size = |s: &Size| json!({"ranks": s.ranks, "scope": if s.bound.is_none() { "all-executions" } else { "bounded" }, "bound": s.bound});
    let speed = |s: &Speed| json!({"median_seconds": s.median().as_secs_f64(), "runs": s.runs(), "slower_than_fastest": s.slower});
    let patch = |p: &Patch| {
        let changes = p
            .changes
            .iter()
            .map(|c| json!({"file": c.name, "diff": edit::diff(&c.name, &c.old, &c.new)}));
        json!({
            "repair": p.repair.name(),
            "why": p.why,
            "status": status(p),
            "sizes": p.cured.sizes.iter().map(size).collect::<Vec<Value>>(),
            "changes": changes.collect::<Vec<Value>>(),
            "lines": p.lines(),
            "speed": p.speed.as_ref().map(speed),
            "output_differs": p.differs,
        })
    };
    let value = json!({
        "schema": SCHEMA,
        "verdict": report.verdict,
        "patches": done.patches.iter().map(patch).collect::<Vec<Value>>(),
        "speed_as_it_is": done.speed.as_ref().map(speed),
        "refused": done.refused,
        "report": report,
    });
    let mut bytes = serde_json::to_vec_pretty(&value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
