//! One finding: the drawing, the causes, the source lines, who else is stuck, the explanation, the cure.

use std::collections::BTreeMap;

use super::alike::Alike;
use super::draw;
use super::excerpt::{Mark, excerpts};
use super::group::{Group, groups, place, without_arguments};
use super::headline::{cause_name, sentence, title};
use super::line::{Ink, Line, Page, cut_end, cut_path, width};
use super::words;
use crate::model::{AgentEntry, Cause, Finding, FindingKind, Report, Step};
use crate::ranks::{self, count};
use crate::sources::Sources;

const INDENT: usize = 2;
/// Groups of victims, and causes, shown.
const MAX_SHOWN: usize = 8;

/// Everything about an error but its heading.
pub(crate) fn full(found: &Alike<'_>, report: &Report, sources: &dyn Sources, page: &mut Page) {
    let finding = found.first;
    page.blank();
    core(finding, report, page);
    elsewhere(found, page);
    mismatch(finding, page);
    causes(finding, page);
    let all = groups(&finding.core, report.ranks);
    let mut marks = Vec::new();
    if !matches!(finding.kind, FindingKind::Timeout | FindingKind::Snapshot) {
        marks.extend(all.iter().filter(|group| !group.left()).filter_map(mark));
    }
    marks.extend(
        alike(finding.causes.iter())
            .iter()
            .filter_map(|c| cause_mark(c)),
    );
    excerpts(&marks, sources, page);
    victims(finding, page);
    steps(finding, page);
    prose(&finding.explanation, page);
    if !finding.advice.is_empty() || finding.assumption.is_some() || finding.witness.is_some() {
        page.blank();
    }
    for text in &finding.advice {
        labelled(Ink::Help, "help", text, page);
    }
    let all = std::iter::once(finding).chain(found.others.iter().copied());
    for witness in all.filter_map(|finding| finding.witness.as_ref()) {
        let text = format!("the schedule is in {witness}; standoff replay forces it again");
        labelled(Ink::Note, "note", &text, page);
    }
}

/// The steps of an execution that leads to the finding, in columns.
fn steps(finding: &Finding, page: &mut Page) {
    const GAP: usize = 2;
    /// Of who and where, which leave 35 columns to what happens.
    const WIDEST: [usize; 2] = [14, 23];
    if finding.steps.is_empty() {
        return;
    }
    page.blank();
    let heading = "it comes about like this:";
    page.push(Line::new().space(INDENT).ink(Ink::Plain, heading));
    let widest = |cell: fn(&Step) -> &str, at: usize| {
        let cells = finding.steps.iter().map(|step| width(cell(step)));
        cells.max().unwrap_or(0).min(WIDEST[at])
    };
    let (who, place) = (widest(|s| &s.agents, 0), widest(|s| &s.place, 1));
    for (number, step) in (1..).zip(&finding.steps) {
        let cells = [
            (Ink::Agent, cut_end(&step.agents, who), who),
            (Ink::Plain, cut_path(&step.place, place), place),
        ];
        let mut start = Line::new().space(INDENT);
        start = start.ink(Ink::Plain, &format!("{number:>2}")).space(GAP);
        for (ink, text, room) in cells.into_iter().filter(|cell| cell.2 > 0) {
            start = start.ink(ink, &text).space(room - width(&text) + GAP);
        }
        let rest = Line::new().space(start.width());
        page.extend(Line::plain(&step.what).wrap(start, &rest));
    }
    if finding.steps_left_out > 0 {
        let more = count(finding.steps_left_out as usize, "more choice");
        let more = format!("({more} before these, as in the witness)");
        page.push(Line::new().space(INDENT + 4).ink(Ink::Plain, &more));
    }
}

/// Where else the same was found.
fn elsewhere(found: &Alike<'_>, page: &mut Page) {
    if let Some(text) = found.elsewhere() {
        page.blank();
        let rest = Line::new().space(INDENT + 2);
        page.extend(Line::plain(&text).wrap(Line::new().space(INDENT), &rest));
    }
}

/// The drawing with its lines, and the cure.
pub(crate) fn brief(found: &Alike<'_>, report: &Report, page: &mut Page) {
    let finding = found.first;
    core(finding, report, page);
    elsewhere(found, page);
    mismatch(finding, page);
    for alike in unsaid(finding).iter().take(MAX_SHOWN) {
        said_cause(alike, page);
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
    for alike in causes.iter().take(MAX_SHOWN) {
        said_cause(alike, page);
    }
    if causes.len() > MAX_SHOWN {
        let text = format!("… and {} more", causes.len() - MAX_SHOWN);
        page.push(Line::new().space(INDENT).ink(Ink::Dim, &text));
    }
}

/// Causes that the drawing does not say, the same of several ranks together.
fn unsaid(finding: &Finding) -> Vec<Vec<&Cause>> {
    let said = |cause: &&Cause| !draw::draws_cause(finding, cause);
    alike(finding.causes.iter().filter(said))
}

/// Causes in groups of the same words at the same place, in the order of their first.
fn alike<'a>(causes: impl Iterator<Item = &'a Cause>) -> Vec<Vec<&'a Cause>> {
    let mut index: BTreeMap<String, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<&Cause>> = Vec::new();
    for cause in causes {
        let at = *index.entry(words::cause(cause)).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => group.push(cause),
            None => groups.push(vec![cause]),
        }
    }
    groups
}

/// `ranks 1–3`.
fn names(alike: &[&Cause]) -> (Vec<String>, String) {
    let names: Vec<String> = alike.iter().map(|c| cause_name(c.world, c.rank)).collect();
    let text = ranks::agents(names.iter().map(String::as_str)).text;
    (names, text)
}

fn said_cause(alike: &[&Cause], page: &mut Page) {
    let (_, who) = names(alike);
    let what = words::cause(alike[0]);
    let text = format!("{who} {}", ranks::of_so_many(&what, alike.len()));
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

fn cause_mark<'a>(alike: &[&'a Cause]) -> Option<Mark<'a>> {
    let cause = *alike.first()?;
    cause.stack.first()?;
    let (names, who) = names(alike);
    Some(Mark {
        stack: &cause.stack,
        call: String::new(),
        names: names.into_iter().map(Into::into).collect(),
        who,
        what: words::cause_here(cause),
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
    // What only seems stuck holds nobody for certain.
    let held = match finding.kind {
        FindingKind::Stalled => "waiting",
        _ => "stuck",
    };
    let start = Line::new()
        .space(INDENT)
        .ink(Ink::Plain, &format!("also {held} behind {them}:"));
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
