//! One line under a diagnosis when a patch is at hand. Only made, not tried: nothing runs for it.

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::SystemTime;

use standoff_fix::Repair;
use standoff_report::{Report, Severity};

use super::{sources, which};

/// The line, if there is something to say. Never fails: a diagnosis does not depend on it.
pub fn hint(report: &Report, ranks: Option<u32>, command: &[String]) -> Option<String> {
    catch_unwind(AssertUnwindSafe(|| make(report, ranks, command)))
        .ok()
        .flatten()
}

fn make(report: &Report, ranks: Option<u32>, command: &[String]) -> Option<String> {
    let words: Vec<OsString> = command.iter().map(OsString::from).collect();
    which::find(&words, &which::places()).ok()?;
    let finding = report
        .findings
        .iter()
        .find(|f| f.severity == Severity::Error)?;
    let mut repairs: Vec<Repair> = Vec::new();
    for name in sources::names(finding).iter().take(4) {
        let Ok(source) = sources::read(name, SystemTime::now()) else {
            continue;
        };
        let made =
            standoff_fix::propose(finding, report.ranks, name, source.language, &source.text);
        repairs.extend(made.ok()?.candidates.iter().map(|c| c.repair));
    }
    repairs.retain(|r| !matches!(r, Repair::HalfCure | Repair::Guard));
    if repairs.is_empty() {
        return None;
    }
    let ranks = ranks.map_or(String::new(), |n| format!("-n {n} "));
    let words = shell_words::join(command);
    Some(format!(
        "a patch may be at hand: standoff fix {ranks}{words}"
    ))
}
