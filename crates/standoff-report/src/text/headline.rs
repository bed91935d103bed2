//! The first line: the verdict and, in one sentence, what was found.

use std::collections::BTreeSet;

use super::alike::together;
use super::draw;
use super::group::{Group, groups, left};
use super::words;
use crate::model::{AgentEntry, Cause, Finding, FindingKind, Op, Report, Scope, Severity, Verdict};
use crate::ranks::{self, count};
use crate::signals::signal_name;

/// Word of the verdict, as the text says it, and the sentence after it.
pub(crate) fn headline(report: &Report) -> (&'static str, String) {
    let errors: Vec<&Finding> = errors(report).collect();
    let groups = together(errors.iter().copied());
    let word = match report.verdict {
        Verdict::Deadlock
            if errors.iter().all(|f| f.assumption.is_some()) && !errors.is_empty() =>
        {
            "deadlock on this MPI"
        }
        Verdict::Deadlock => "deadlock",
        Verdict::Stalled => "stalled",
        Verdict::PotentialDeadlock => "potential deadlock",
        Verdict::Clean if snapshot(report) => "now",
        Verdict::Clean => "clean",
        Verdict::Failed if errors.iter().any(|f| f.kind == FindingKind::Timeout) => "timeout",
        Verdict::Failed => "failed",
    };
    let text = match (report.verdict, &errors[..]) {
        (Verdict::Clean, _) if snapshot(report) => {
            let ranks = count(report.ranks as usize, "rank");
            return (word, format!("{ranks}, no deadlock so far"));
        }
        (Verdict::Clean, _) => clean(report),
        (_, [first, ..]) if groups.len() == 1 => match groups[0].elsewhere() {
            Some(elsewhere) => format!("{}; {elsewhere}", sentence(first, report)),
            None => sentence(first, report),
        },
        (Verdict::Deadlock, [_, _, ..]) => {
            let n = errors.len();
            let kinds = match groups.len() {
                kinds if kinds == n => String::new(),
                kinds => format!(" of {}", count(kinds, "kind")),
            };
            format!("{n} independent deadlocks{kinds}")
        }
        (Verdict::PotentialDeadlock, [_, _, ..]) => {
            format!("{} ways to deadlock", groups.len())
        }
        (_, [first, ..]) => sentence(first, report),
        (Verdict::Failed, []) => ended(report),
        (_, []) => count(report.ranks as usize, "rank"),
    };
    let warnings = report.findings.len() - errors.len();
    let text = match warnings {
        0 => text,
        n => format!("{text}; {}", count(n, "warning")),
    };
    (word, text)
}

/// Taken of a job that runs.
pub(crate) fn snapshot(report: &Report) -> bool {
    report
        .findings
        .iter()
        .any(|f| f.kind == FindingKind::Snapshot)
}

/// Findings that make the verdict.
pub(crate) fn errors(report: &Report) -> impl Iterator<Item = &Finding> {
    let error = |f: &&Finding| f.severity == Severity::Error;
    report.findings.iter().filter(error)
}

/// A finding in one sentence.
pub(crate) fn sentence(finding: &Finding, report: &Report) -> String {
    match finding.kind {
        FindingKind::Deadlock => held(finding, report),
        FindingKind::PotentialDeadlock => {
            let seen = if finding.confirmed {
                "; confirmed on the program"
            } else {
                "; not confirmed on the program"
            };
            match &finding.summary {
                Some(summary) => format!("{summary}{seen}"),
                None => format!("in another execution {}{seen}", held(finding, report)),
            }
        }
        FindingKind::Stalled => {
            let (who, plural) = pollers(finding);
            let seems = match plural {
                true => "seem stuck: they only poll",
                false => "seems stuck: it only polls",
            };
            format!("{who} {seems}, and nobody seems able to complete what is polled for")
        }
        FindingKind::Crash => match finding.causes.first() {
            Some(cause) => format!("{} {}", cause_name(cause.world, cause.rank), cause.what),
            None => ended(report),
        },
        FindingKind::Timeout => match report.elapsed_ms {
            Some(ms) => format!("the program had not ended after {}", duration(ms)),
            None => "the program had not ended in the time given".to_owned(),
        },
        ref kind => title(kind),
    }
}

/// What a kind is called in a heading.
pub(crate) fn title(kind: &FindingKind) -> String {
    let text = match kind {
        FindingKind::Deadlock => "deadlock",
        FindingKind::PotentialDeadlock => "potential deadlock",
        FindingKind::Stalled => "stalled",
        FindingKind::CollectiveMismatch => "collective calls that do not match",
        FindingKind::MessageMismatch => "a message that does not match its receive",
        FindingKind::UnreceivedMessage => "a message that nobody received",
        FindingKind::RequestLeak => "a request that was never completed",
        FindingKind::ResourceLeak => "MPI objects that are never freed",
        FindingKind::UnsafeSend => "a send that passed only because it was buffered",
        FindingKind::RescuedSend => "a blocked send that standoff let go on",
        FindingKind::Crash => "crash",
        FindingKind::Timeout => "timeout",
        FindingKind::Snapshot => "what every rank is doing",
        FindingKind::Other(kind) => return kind.replace('-', " "),
    };
    text.to_owned()
}

/// `rank 3`, of another job `world 1 rank 3`.
pub(crate) fn cause_name(world: u32, rank: u32) -> String {
    match world {
        0 => format!("rank {rank}"),
        _ => format!("world {world} rank {rank}"),
    }
}

/// Who holds whom, for a deadlock.
fn held(finding: &Finding, report: &Report) -> String {
    let (gone, waiting): (Vec<_>, Vec<_>) = finding.core.iter().partition(|entry| left(entry));
    let waiting_names = ranks::agents(waiting.iter().map(|entry| entry.agent.as_str()));
    let all = u64::from(report.ranks) == finding.core.len() as u64;
    let others = match (all && waiting_names.only_ranks, waiting_names.only_ranks) {
        (true, _) => "",
        (false, true) => ", and no other rank can release them",
        (false, false) => ", and nothing else can release them",
    };
    if let Some(first) = gone.first()
        && !waiting.is_empty()
    {
        let gone_names = ranks::agents(gone.iter().map(|entry| entry.agent.as_str()));
        let cause = |entry: &AgentEntry| {
            let same = |c: &&Cause| (c.rank, c.world) == (entry.rank, entry.world);
            let what = finding.causes.iter().find(same)?.what.as_str();
            (!what.is_empty()).then_some(what)
        };
        let state = words::state(first);
        let common = cause(first).filter(|&what| gone.iter().all(|e| cause(e) == Some(what)));
        let what = match (gone.len(), common) {
            (1, Some(what)) => what,
            (1, None) => state.as_str(),
            // Said of one in the same words as of several.
            (_, Some(what)) if what.starts_with("raised ") => what,
            _ => "have left",
        };
        let verb = if waiting_names.plural() {
            "wait"
        } else {
            "waits"
        };
        return format!(
            "{} {verb} for {}, which {what}",
            waiting_names.text, gone_names.text
        );
    }
    if waiting.is_empty() {
        return "nothing can go on".to_owned();
    }
    if waiting.len() == 1 {
        return format!("{} waits for itself", waiting_names.text);
    }
    let nodes: Vec<Group<'_>> = draw::cycle(finding, &groups(&finding.core, report.ranks));
    let ring = nodes.len() > 2 && nodes.len() == finding.core.len();
    let ring = if ring { " in a ring" } else { "" };
    let who = if all && waiting_names.only_ranks && waiting.len() > 2 {
        format!("all {} ranks", report.ranks)
    } else {
        waiting_names.text
    };
    let comms: BTreeSet<Option<&str>> = waiting.iter().map(|e| e.comm.as_deref()).collect();
    let collectives = waiting.iter().all(|e| words::op(e) == Some(Op::Collective));
    let across = match collectives && comms.len() > 1 {
        true => ", in collectives of different communicators",
        false => "",
    };
    format!("{who} wait for each other{ring}{across}{others}")
}

/// Who polls, of a stall; a report that does not tell has all who wait.
fn pollers(finding: &Finding) -> (String, bool) {
    let polls = |entry: &&&AgentEntry| {
        let starts = ["MPI_Test", "MPI_Iprobe", "MPI_Improbe"];
        starts.iter().any(|start| entry.call.starts_with(start))
    };
    let waiting: Vec<&AgentEntry> = finding.core.iter().filter(|entry| !left(entry)).collect();
    let mut who: Vec<&&AgentEntry> = waiting.iter().filter(polls).collect();
    if who.is_empty() {
        who.extend(&waiting);
    }
    let list = ranks::agents(who.iter().map(|entry| entry.agent.as_str()));
    let plural = list.plural();
    (list.text, plural)
}

fn clean(report: &Report) -> String {
    let scope = match report.scope {
        Scope::ThisRun => "in this run".to_owned(),
        Scope::AllExecutions => "in any execution that MPI allows for this input".to_owned(),
        Scope::Bounded => match &report.bound {
            Some(bound) => format!("in the executions tried ({bound})"),
            None => "in the executions tried".to_owned(),
        },
    };
    format!(
        "{}, no deadlock {scope}",
        count(report.ranks as usize, "rank")
    )
}

/// How the program ended.
fn ended(report: &Report) -> String {
    match (report.exit.signal, report.exit.code) {
        (Some(signal), _) => match signal_name(signal) {
            Some(name) => format!("the program was ended by signal {signal} ({name})"),
            None => format!("the program was ended by signal {signal}"),
        },
        (None, Some(code)) => format!("the program ended with status {code}"),
        (None, None) => "the program failed".to_owned(),
    }
}

/// `12 ms`, `1.5 s`, `90 s`.
pub(crate) fn duration(ms: u64) -> String {
    match ms {
        0..1000 => format!("{ms} ms"),
        _ if ms.is_multiple_of(1000) => format!("{} s", ms / 1000),
        1000..60_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        _ => format!("{} s", ms / 1000),
    }
}
