//! One finding: the drawing, the causes, the source lines, who else is stuck, the explanation, the cure.

use std::collections::BTreeMap;

use super::draw;
use super::excerpt::{Mark, excerpts};
use super::group::{Group, groups, place, without_arguments};
use super::headline::{cause_name, sentence, title};
use super::line::{Ink, Line, Page};
use super::words;
use crate::model::{AgentEntry, Cause, Finding, FindingKind, Report};
use crate::ranks;
use crate::sources::Sources;

const INDENT: usize = 2;
/// Groups of victims, and causes, shown.
const MAX_SHOWN: usize = 8;

/// Everything about an error but its heading.
pub(crate) fn full(finding: &Finding, report: &Report, sources: &dyn Sources, page: &mut Page) {
    page.blank();
    core(finding, report, page);
    mismatch(finding, page);
    causes(finding, page);
    let all = groups(&finding.core, report.ranks);
    let mut marks = Vec::new();
    if !matches!(finding.kind, FindingKind::Timeout | FindingKind::Snapshot) {
        marks.extend(all.iter().filter(|group| !group.left()).filter_map(mark));
    }
    marks.extend(finding.causes.iter().filter_map(cause_mark));
    excerpts(&marks, sources, page);
    victims(finding, page);
    schedule(finding, page);
    prose(&finding.explanation, page);
    if !finding.advice.is_empty() || finding.assumption.is_some() || finding.witness.is_some() {
        page.blank();
    }
    for text in &finding.advice {
        labelled(Ink::Help, "help", text, page);
    }
    if let Some(assumption) = &finding.assumption {
        labelled(Ink::Note, "note", assumption, page);
    }
    if let Some(witness) = &finding.witness {
        let text = format!("the schedule is in {witness}; standoff replay forces it again");
        labelled(Ink::Note, "note", &text, page);
    }
}

/// The steps of an execution that leads to the finding.
fn schedule(finding: &Finding, page: &mut Page) {
    if finding.schedule.is_empty() {
        return;
    }
    page.blank();
    page.push(
        Line::new()
            .space(INDENT)
            .ink(Ink::Plain, "it goes like this:"),
    );
    for step in &finding.schedule {
        let start = Line::new().space(INDENT + 2);
        page.extend(Line::plain(step).wrap(start, &Line::new().space(INDENT + 6)));
    }
}

/// The drawing with its lines, and the cure.
pub(crate) fn brief(finding: &Finding, report: &Report, page: &mut Page) {
    core(finding, report, page);
    mismatch(finding, page);
    for cause in unsaid(finding).iter().take(MAX_SHOWN) {
        said_cause(cause, page);
    }
    for text in finding.advice.iter().take(1) {
        labelled(Ink::Help, "help", text, page);
    }
}

/// A warning: few lines.
pub(crate) fn warning(finding: &Finding, report: &Report, page: &mut Page) {
    labelled(Ink::Warning, "warning", &sentence(finding, report), page);
    mismatch(finding, page);
    draw::rows(&groups(&finding.core, report.ranks), INDENT, page);
    let text = Line::plain(&finding.explanation);
    if !finding.explanation.is_empty() {
        page.extend(text.wrap(Line::new().space(INDENT), &Line::new().space(INDENT)));
    }
    for text in finding.advice.iter().take(2) {
        let start = Line::new()
            .space(INDENT)
            .ink(Ink::Help, "help")
            .ink(Ink::Plain, ": ");
        page.extend(Line::plain(text).wrap(start, &Line::new().space(INDENT + 6)));
    }
}

fn core(finding: &Finding, report: &Report, page: &mut Page) {
    match finding.kind {
        FindingKind::Deadlock | FindingKind::PotentialDeadlock => {
            draw::core(finding, report.ranks, page);
        }
        _ => draw::rows(&groups(&finding.core, report.ranks), INDENT, page),
    }
}

fn mismatch(finding: &Finding, page: &mut Page) {
    if finding.mismatch.is_empty() {
        return;
    }
    if finding.kind != FindingKind::CollectiveMismatch {
        page.blank();
        let heading = match finding.kind {
            FindingKind::Deadlock | FindingKind::PotentialDeadlock => {
                title(&FindingKind::CollectiveMismatch)
            }
            _ => "what does not match".to_owned(),
        };
        page.push(
            Line::new()
                .space(INDENT)
                .ink(Ink::Plain, &format!("{heading}:")),
        );
    }
    for side in &finding.mismatch {
        let start = Line::new().space(INDENT + 2);
        page.extend(Line::plain(side).wrap(start, &Line::new().space(INDENT + 4)));
    }
}

fn causes(finding: &Finding, page: &mut Page) {
    let causes = unsaid(finding);
    if !causes.is_empty() {
        page.blank();
    }
    for cause in causes.iter().take(MAX_SHOWN) {
        said_cause(cause, page);
    }
    if causes.len() > MAX_SHOWN {
        let text = format!("… and {} more", causes.len() - MAX_SHOWN);
        page.push(Line::new().space(INDENT).ink(Ink::Dim, &text));
    }
}

/// Causes that the drawing does not say.
fn unsaid(finding: &Finding) -> Vec<&Cause> {
    let said = |cause: &&Cause| !draw::draws_cause(finding, cause);
    finding.causes.iter().filter(said).collect()
}

fn said_cause(cause: &Cause, page: &mut Page) {
    let name = cause_name(cause.world, cause.rank);
    let text = format!("{name} {}", words::cause(cause));
    let start = Line::new()
        .space(INDENT)
        .ink(Ink::Error, "cause")
        .ink(Ink::Plain, ": ");
    page.extend(Line::plain(&text).wrap(start, &Line::new().space(INDENT + 7)));
}

fn mark<'a>(group: &Group<'a>) -> Option<Mark<'a>> {
    let one = group.one();
    group.frame()?;
    Some(Mark {
        stack: &one.stack,
        call: one.user_call.clone().unwrap_or_else(|| one.call.clone()),
        names: group
            .members
            .iter()
            .map(|m| m.agent.as_str().into())
            .collect(),
        who: group.names().text,
        what: words::wait(group, true),
        ink: Ink::Error,
    })
}

fn cause_mark(cause: &Cause) -> Option<Mark<'_>> {
    cause.stack.first()?;
    Some(Mark {
        stack: &cause.stack,
        call: String::new(),
        names: vec![cause_name(cause.world, cause.rank).into()],
        who: cause_name(cause.world, cause.rank),
        what: format!("{} here", cause.what.lines().next().unwrap_or_default()),
        ink: Ink::Error,
    })
}

/// Whom victims wait for does not matter here, only where they are.
fn victims(finding: &Finding, page: &mut Page) {
    if finding.victims.is_empty() {
        return;
    }
    let mut index: BTreeMap<String, usize> = BTreeMap::new();
    let mut places: Vec<(String, Vec<&str>)> = Vec::new();
    for victim in &finding.victims {
        let at = whereabouts(victim);
        let i = *index.entry(at).or_insert_with_key(|at| {
            places.push((at.clone(), Vec::new()));
            places.len() - 1
        });
        places[i].1.push(&victim.agent);
    }
    let text = |(at, names): &(String, Vec<&str>)| {
        let names = ranks::agents(names.iter().copied()).text;
        let line = Line::new().ink(Ink::Agent, &names);
        line.space(1).ink(Ink::Plain, at)
    };
    let them = if finding.core.len() == 1 {
        "it"
    } else {
        "them"
    };
    let start = Line::new()
        .space(INDENT)
        .ink(Ink::Plain, &format!("also stuck behind {them}:"));
    page.blank();
    if let [only] = &places[..] {
        page.extend(text(only).wrap(start.space(1), &Line::new().space(INDENT + 2)));
        return;
    }
    page.push(start);
    let (first, rest) = (INDENT + 2, Line::new().space(INDENT + 4));
    for group in places.iter().take(MAX_SHOWN) {
        page.extend(text(group).wrap(Line::new().space(first), &rest));
    }
    if places.len() > MAX_SHOWN {
        let more: usize = places[MAX_SHOWN..].iter().map(|(_, who)| who.len()).sum();
        let text = format!("… and {more} more");
        page.push(Line::new().space(first).ink(Ink::Dim, &text));
    }
}

/// `in comm.bcast at app.py:22`.
fn whereabouts(entry: &AgentEntry) -> String {
    let call = match entry.user_call.as_deref() {
        Some(call) if !call.is_empty() => without_arguments(call),
        _ => &entry.call,
    };
    let what = if call.is_empty() {
        words::state(entry)
    } else {
        format!("in {call}")
    };
    match entry.stack.first().map(place) {
        Some(place) if !place.is_empty() => format!("{what} at {place}"),
        _ => what,
    }
}

fn prose(text: &str, page: &mut Page) {
    for paragraph in text.split("\n\n").filter(|p| !p.trim().is_empty()) {
        page.blank();
        page.extend(Line::plain(paragraph).wrap(Line::new(), &Line::new()));
    }
}

/// `help: …` with what follows indented.
pub(crate) fn labelled(ink: Ink, label: &str, text: &str, page: &mut Page) {
    let start = Line::new().ink(ink, label).ink(Ink::Plain, ": ");
    let rest = Line::new().space(start.width());
    page.extend(Line::plain(text).wrap(start, &rest));
}
