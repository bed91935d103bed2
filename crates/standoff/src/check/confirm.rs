//! A witness forced on the program: whether it hangs there, and what can be measured of it.

use standoff_board::layout::MEASURE_VAR;
use standoff_mpi::format::bytes_in_words;
use standoff_report::{AgentEntry, Finding, FindingKind, Op, Report, Verdict};

use crate::interrupt;
use crate::output;

use super::find;
use super::force::{Choices, Witness};
use super::lines::Lines;
use super::other_calls;
use super::plan::Plan;
use super::recording::{Execution, Recording};
use super::rerun::{Checker, Forced};

impl Checker<'_> {
    /// Forces the choices of a witness on the program, and says in the finding what came of it.
    ///
    /// The execution that it made instead, if it made other calls before it came there.
    pub(super) fn confirm(
        &mut self,
        execution: &Execution,
        witness: &standoff_check::Witness,
        plan: &Plan,
        finding: &mut Finding,
    ) -> Option<Execution> {
        let certain = witness.diverges.is_empty();
        const ASSUMES: &str = " This assumes that the ranks make the same calls when they receive another message first.";
        if self.args.no_rerun {
            finding.explanation += if certain { "" } else { ASSUMES };
            finding.explanation += " It was not forced on the program (--no-rerun).";
            return None;
        }
        let Some(forced) = self.force(&plan.choices) else {
            finding.explanation += if certain { "" } else { ASSUMES };
            finding.explanation += match interrupt::asked() {
                Some(_) => " The check was interrupted before it could be forced on the program.",
                None => " The budget did not suffice to force it on the program.",
            };
            return None;
        };
        let Forced { outcome, .. } = &forced;
        let live = outcome.report.findings.iter();
        let live = live.filter(|f| f.kind == FindingKind::Deadlock).find(|f| {
            let place = |e: &AgentEntry| e.stack.first().map(|f| (f.file.clone(), f.line));
            let same = |a: &AgentEntry, b: &AgentEntry| {
                a.rank == b.rank
                    && (place(a) == place(b) || a.stack.is_empty() || b.stack.is_empty())
            };
            // Proven as soon as a part of the predicted ranks hold each other: the others may be on their way yet.
            let mut predicted = finding.core.iter().chain(&finding.victims);
            // Who left must be one that leaves in the witness, too: one that failed because of the forced run proves nothing.
            let ended = |e: &AgentEntry| e.op == Some(Op::Ended);
            let foreseen = |seen: &AgentEntry| {
                let alike = |e: &AgentEntry| match ended(seen) {
                    true => ended(e) && e.rank == seen.rank,
                    false => same(e, seen),
                };
                predicted.clone().any(alike)
            };
            f.core.iter().all(foreseen) && predicted.any(|e| f.core.iter().any(|s| same(e, s)))
        });
        match live {
            Some(live) => {
                finding.confirmed = true;
                finding.explanation += " Forced there, the program hung.";
                find::take_stacks(finding, live);
            }
            None => {
                finding.explanation += " It could not be forced on the program: ";
                if certain
                    && outcome.report.verdict == Verdict::Clean
                    && let Ok(other) = forced.execution()
                    && let Some((rank, event)) =
                        other_calls::first(&execution.trace, witness, &other.trace)
                {
                    let place = Lines::new(execution).place(rank, event);
                    finding.explanation += &format!(
                        "when it was run again, rank {rank} made other calls before it came there (from {place} on), as a program does that depends on \
                         the time, on random numbers or on what an earlier run left behind."
                    );
                    if self.scratch.is_none() {
                        finding.advice.push("If the program reads files that it has written itself: with --scratch each further run finds what the first one found.".to_owned());
                    }
                    return Some(other);
                }
                finding.explanation += &match plan.left.is_empty() {
                    true => {
                        "it made other calls there, or this MPI cannot be brought to it".to_owned()
                    }
                    false => plan.left.iter().cloned().collect::<Vec<_>>().join("; "),
                };
                finding.explanation += ".";
            }
        }
        None
    }

    /// Says up to which size this MPI buffers such a send, as measured in a run of its own.
    pub(super) fn measure(&mut self, (from, to, bytes): (u32, u32, u64), finding: &mut Finding) {
        if self.args.no_rerun {
            return;
        }
        let Ok(recording) = Recording::new() else {
            return;
        };
        let asked = [(MEASURE_VAR.into(), format!("{from} {to}").into())];
        let outcome = self.run_as(recording.env().into_iter().chain(asked).collect());
        if outcome.is_none_or(|(o, _)| o.report.verdict != Verdict::Clean) {
            return;
        }
        let text = std::fs::read_to_string(recording.path().join("eager"));
        let limit = text.ok().and_then(|t| t.trim().parse::<u64>().ok());
        // One that is less than what passed is of another state of the library.
        if let Some(limit) = limit.filter(|&limit| limit >= bytes) {
            finding.explanation += &format!(
                " It passed because {} fit what {} buffers here; above about {} it will hang (measured from rank {from} to rank {to}).",
                bytes_in_words(bytes),
                self.library,
                bytes_in_words(limit),
            );
        }
    }

    /// Puts a witness on file, and says where. A silent check is somebody else's: it leaves nothing behind.
    pub(super) fn put(&self, schedule: Vec<String>, choices: Choices) -> Option<String> {
        if self.how.silent {
            return None;
        }
        let words = self.args.run.words.iter();
        let witness = Witness {
            command: words.map(|w| w.to_string_lossy().into_owned()).collect(),
            schedule,
            choices,
        };
        match witness.write() {
            Ok(path) => Some(path.display().to_string()),
            Err(error) => {
                output::remark(&error.to_string());
                None
            }
        }
    }
}

/// The MPI's name for a sentence.
pub(super) fn library(report: &Report) -> &'static str {
    let said = report.mpi.as_ref().map_or("", |mpi| mpi.library.as_str());
    let known = ["Open MPI", "Intel(R) MPI", "MVAPICH", "MPICH"];
    let name = known.into_iter().find(|name| said.contains(name));
    name.unwrap_or("this MPI")
}
