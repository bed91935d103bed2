//! Expectation against observation. Pure: what a run gave is handed in, so that the comparison can itself be tested with
//! runs that must not pass.

use std::collections::BTreeSet;
use std::fmt;

use standoff_report::{Abi, AgentEntry, Finding, Frame, Report, SCHEMA, Scope, Severity, Verdict};

use crate::header::{Check, Header, Ranks};

/// What a run gave.
#[derive(Clone, Debug)]
pub struct Observation {
    /// How `standoff` ended.
    pub ended: Ended,
    /// Its standard output, the program's.
    pub stdout: String,
    /// Its standard error, the program's and the diagnosis.
    pub stderr: String,
    /// The JSON report, or why it cannot be read.
    pub report: Result<Report, String>,
    /// Processes of the job that outlived `standoff`.
    pub left_over: Vec<String>,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With this status.
    Status(i32),
    /// By this signal.
    Signal(i32),
    /// The backstop ended it.
    Backstop,
}

impl fmt::Display for Ended {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ended::Status(status) => write!(out, "status {status}"),
            Ended::Signal(signal) => write!(out, "signal {signal}"),
            Ended::Backstop => write!(out, "the backstop of the test"),
        }
    }
}

/// What the comparison is about, besides the header.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The file name of the source.
    pub file: &'a str,
    /// The MPI family it ran on.
    pub family: &'a str,
}

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The exit status.
    #[error("ended with {found}, expected {expected}")]
    Exit {
        /// What was expected, in words.
        expected: String,
        /// What was seen.
        found: Ended,
    },
    /// The report cannot be read.
    #[error("no JSON report: {0}")]
    NoReport(String),
    /// The report breaks its own contract.
    #[error("malformed report: {0}")]
    Malformed(String),
    /// The verdict.
    #[error("verdict {found:?}, expected {expected:?}")]
    Verdict {
        /// What was expected.
        expected: Verdict,
        /// What was seen.
        found: Verdict,
    },
    /// The number of ranks.
    #[error("{found} ranks in the report, expected at least {expected}")]
    RankCount {
        /// What was expected.
        expected: u32,
        /// What was seen.
        found: u32,
    },
    /// The number of findings of severity error.
    #[error("{found} findings, expected {expected}")]
    Findings {
        /// What was expected.
        expected: usize,
        /// What was seen.
        found: usize,
    },
    /// The ranks of the core, or the cores of all findings.
    #[error("core {found}, expected {expected}")]
    Core {
        /// What was expected.
        expected: String,
        /// What was seen.
        found: String,
    },
    /// The ranks behind the core.
    #[error("victims {found:?}, expected {expected:?}")]
    Victims {
        /// What was expected.
        expected: Ranks,
        /// What was seen.
        found: Ranks,
    },
    /// Kinds and places of warnings.
    #[error("warnings {found}, expected {expected}")]
    Warnings {
        /// What was expected.
        expected: String,
        /// What was seen.
        found: String,
    },
    /// Ranks that left and are not in `causes`.
    #[error("causes name ranks {found:?}, expected also {missing:?}")]
    Causes {
        /// Ranks that should be there.
        missing: Ranks,
        /// Ranks that are.
        found: Ranks,
    },
    /// What the verdict of a check holds for.
    #[error("scope {found:?} ({bound}), expected {expected:?}")]
    Scope {
        /// What was expected.
        expected: Option<Scope>,
        /// What was seen.
        found: Scope,
        /// Its bound.
        bound: String,
    },
    /// Whether the program was seen to hang.
    #[error("the finding should {}be confirmed", if *.expected { "" } else { "not " })]
    Confirmed {
        /// What was expected.
        expected: bool,
    },
    /// The places of a rank of the core.
    #[error("rank {rank} of the core is at {found:?}, expected lines {expected:?}")]
    Lines {
        /// The rank.
        rank: u32,
        /// The marked lines.
        expected: BTreeSet<u32>,
        /// What `stack[0]` of its entries says.
        found: Vec<String>,
    },
    /// A line of the program's output.
    #[error("standard output has no line `{0}`")]
    Stdout(String),
    /// Words of the diagnosis.
    #[error("the diagnosis does not say `{0}`")]
    Text(String),
    /// Processes that outlived the run.
    #[error("left behind: {}", .0.join(", "))]
    LeftOver(Vec<String>),
}

/// All promises of the header that the run did not keep; none is a pass.
pub fn compare(header: &Header, subject: Subject<'_>, seen: &Observation) -> Vec<Mismatch> {
    let mut wrong = Vec::new();
    exit(header, seen, &mut wrong);
    match &seen.report {
        Err(reason) => wrong.push(Mismatch::NoReport(reason.clone())),
        Ok(report) => {
            contract(report, subject, &mut wrong);
            findings(header, subject, report, &mut wrong);
        }
    }
    let lines: BTreeSet<&str> = seen.stdout.lines().map(str::trim_end).collect();
    let missing = header
        .stdout
        .iter()
        .filter(|line| !lines.contains(line.as_str()));
    wrong.extend(missing.cloned().map(Mismatch::Stdout));
    // A diagnosis is wrapped to the width of the terminal: words may be parted by a line break and the margin before it.
    let text = squeeze(&seen.stderr);
    let missing = header
        .text
        .iter()
        .filter(|words| !text.contains(&squeeze(words)));
    wrong.extend(missing.cloned().map(Mismatch::Text));
    if !seen.left_over.is_empty() {
        wrong.push(Mismatch::LeftOver(seen.left_over.clone()));
    }
    wrong
}

/// All promises that a header makes of `standoff check` and that it did not keep.
pub fn compare_check(
    header: &Header,
    check: &Check,
    subject: Subject<'_>,
    seen: &Observation,
) -> Vec<Mismatch> {
    // What differs from a run that deadlocks is the verdict and where it is said.
    let as_run = Header {
        expect: check.verdict,
        cores: vec![check.marks.keys().copied().collect()],
        left: check.left.clone(),
        warns: check.warns.clone(),
        warned: check.warned.clone(),
        text: check.text.clone(),
        marks: check.marks.clone(),
        ..header.clone()
    };
    let mut wrong = compare(&as_run, subject, seen);
    if let Ok(report) = &seen.report {
        if check.scope.is_some_and(|scope| scope != report.scope) {
            wrong.push(Mismatch::Scope {
                expected: check.scope,
                found: report.scope,
                bound: report.bound.clone().unwrap_or_default(),
            });
        }
        let errors = report.findings.iter();
        let mut errors = errors.filter(|f| f.severity == Severity::Error);
        let expected = check.confirmed(subject.family);
        if errors.any(|finding| finding.confirmed != expected) {
            wrong.push(Mismatch::Confirmed { expected });
        }
    }
    wrong
}

/// One blank for each run of blanks, line ends and drawn margins.
fn squeeze(text: &str) -> String {
    let words = text
        .split(|c: char| c.is_whitespace() || matches!(c, '│' | '|'))
        .filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

fn exit(header: &Header, seen: &Observation, wrong: &mut Vec<Mismatch>) {
    let usual = match header.expect {
        Verdict::Deadlock => Some(99),
        Verdict::Stalled => Some(97),
        Verdict::Clean => Some(0),
        Verdict::PotentialDeadlock => Some(98),
        Verdict::Failed => None,
    };
    let (right, expected) = match (header.exit.or(usual), seen.ended) {
        (Some(status), ended) => (ended == Ended::Status(status), format!("status {status}")),
        // A failed program's own status, or its launcher's: anything but success and what standoff says for itself.
        (None, Ended::Status(status)) => (
            !matches!(status, 0 | 2 | 96..=99 | 124),
            "the status of a failed program".to_owned(),
        ),
        (None, _) => (false, "the status of a failed program".to_owned()),
    };
    if !right {
        wrong.push(Mismatch::Exit {
            expected,
            found: seen.ended,
        });
    }
}

/// Kinds and places of the warnings.
fn warnings(header: &Header, subject: Subject<'_>, report: &Report, wrong: &mut Vec<Mismatch>) {
    let warnings = || {
        let all = report.findings.iter();
        all.filter(|finding| finding.severity == Severity::Warning)
    };
    let kind = |finding: &Finding| {
        let word = serde_json::to_value(&finding.kind).unwrap_or_default();
        word.as_str().unwrap_or_default().to_owned()
    };
    let kinds: BTreeSet<String> = warnings().map(kind).collect();
    let frames = warnings()
        .flat_map(|finding| &finding.core)
        .filter_map(|a| a.stack.first());
    let here =
        |f: &&Frame| f.file.as_deref().and_then(|p| p.rsplit('/').next()) == Some(subject.file);
    let lines: BTreeSet<u32> = frames.filter(here).filter_map(|f| f.line).collect();
    if kinds != header.warns || lines != header.warned {
        wrong.push(Mismatch::Warnings {
            expected: format!("{:?} at {:?}", header.warns, header.warned),
            found: format!("{kinds:?} at {lines:?}"),
        });
    }
}

/// What holds for every report.
fn contract(report: &Report, subject: Subject<'_>, wrong: &mut Vec<Mismatch>) {
    let mut malformed = |what: String| wrong.push(Mismatch::Malformed(what));
    if report.schema != SCHEMA {
        malformed(format!("schema {}", report.schema));
    }
    let abi = report.mpi.as_ref().map(|mpi| mpi.abi);
    let fits = match subject.family {
        "mpich" => matches!(abi, Some(Abi::Mpich | Abi::Standard)),
        "openmpi" => abi == Some(Abi::Openmpi),
        _ => true,
    };
    if !fits {
        malformed(format!("abi {abi:?} on {}", subject.family));
    }
    for finding in report
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
    {
        if finding.explanation.trim().is_empty() {
            malformed("a finding without an explanation".to_owned());
        }
        let mut names = BTreeSet::new();
        for agent in finding.core.iter().chain(&finding.victims) {
            if !names.insert(agent.agent.as_str()) {
                malformed(format!("{} appears twice in one finding", agent.agent));
            }
        }
        if let Some(name) = finding
            .cycle
            .iter()
            .find(|name| !names.contains(name.as_str()))
        {
            malformed(format!(
                "the cycle names {name}, which is neither in the core nor a victim"
            ));
        }
    }
}

fn findings(header: &Header, subject: Subject<'_>, report: &Report, wrong: &mut Vec<Mismatch>) {
    if report.verdict != header.expect {
        wrong.push(Mismatch::Verdict {
            expected: header.expect,
            found: report.verdict,
        });
    }
    // A program that spawns has more.
    if report.ranks < header.ranks && header.expect != Verdict::Failed {
        wrong.push(Mismatch::RankCount {
            expected: header.ranks,
            found: report.ranks,
        });
    }
    let errors: Vec<&Finding> = report
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .collect();
    let usual = match header.expect {
        Verdict::Clean => Some(0),
        Verdict::Failed => None,
        _ => Some(header.cores.len().max(1)),
    };
    if let Some(expected) = header
        .findings
        .or(usual)
        .filter(|&expected| expected != errors.len())
    {
        wrong.push(Mismatch::Findings {
            expected,
            found: errors.len(),
        });
    }
    cores(header, &errors, wrong);
    warnings(header, subject, report, wrong);

    let all = |list: fn(&Finding) -> &Vec<AgentEntry>| -> Vec<&AgentEntry> {
        errors.iter().flat_map(|finding| list(finding)).collect()
    };
    if let Some(expected) = &header.victims {
        let found: Ranks = all(|finding| &finding.victims)
            .iter()
            .map(|agent| agent.rank)
            .collect();
        if found != *expected {
            wrong.push(Mismatch::Victims {
                expected: expected.clone(),
                found,
            });
        }
    }
    let causes: Ranks = errors
        .iter()
        .flat_map(|finding| &finding.causes)
        .map(|cause| cause.rank)
        .collect();
    let missing: Ranks = header.left.difference(&causes).copied().collect();
    if !missing.is_empty() {
        wrong.push(Mismatch::Causes {
            missing,
            found: causes,
        });
    }
    lines(header, subject, &all(|finding| &finding.core), wrong);
}

/// With one `core` the findings together hold just these ranks; with several each is the core of one finding.
fn cores(header: &Header, errors: &[&Finding], wrong: &mut Vec<Mismatch>) {
    let mut found: Vec<Ranks> = errors
        .iter()
        .map(|finding| finding.core.iter().map(|agent| agent.rank).collect())
        .collect();
    let mut expected = header.cores.clone();
    if expected.len() <= 1 {
        expected = vec![header.all_core()];
        found = vec![found.into_iter().flatten().collect()];
        if header.expect == Verdict::Failed && header.all_core().is_empty() {
            return;
        }
    } else {
        // Which finding it is that lost a partner is not stated: those that left may be in any.
        let stated: Ranks = expected.iter().flatten().copied().collect();
        let left: Ranks = header.left.difference(&stated).copied().collect();
        found
            .iter_mut()
            .for_each(|core| core.retain(|rank| !left.contains(rank)));
    }
    expected.sort();
    found.sort();
    if found != expected {
        wrong.push(Mismatch::Core {
            expected: format!("{expected:?}"),
            found: format!("{found:?}"),
        });
    }
}

/// The places of the marked ranks.
fn lines(header: &Header, subject: Subject<'_>, core: &[&AgentEntry], wrong: &mut Vec<Mismatch>) {
    for (&rank, expected) in &header.marks {
        let places: Vec<(Option<&str>, Option<u32>)> = core
            .iter()
            .filter(|agent| agent.rank == rank)
            .map(|agent| match agent.stack.first() {
                Some(frame) => (frame.file.as_deref(), frame.line),
                None => (None, None),
            })
            .collect();
        let in_file = places
            .iter()
            .all(|(file, _)| file.and_then(|path| path.rsplit('/').next()) == Some(subject.file));
        let found: BTreeSet<u32> = places.iter().filter_map(|(_, line)| *line).collect();
        if !in_file || found != *expected {
            let place = |(file, line): &(Option<&str>, Option<u32>)| {
                format!(
                    "{}:{}",
                    file.unwrap_or("?"),
                    line.map_or("?".to_owned(), |line| line.to_string())
                )
            };
            let found = places.iter().map(place).collect();
            wrong.push(Mismatch::Lines {
                rank,
                expected: expected.clone(),
                found,
            });
        }
    }
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
