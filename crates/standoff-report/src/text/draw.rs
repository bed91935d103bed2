//! Who waits for whom: the drawing of a cycle or of an ended partner, and plain rows.

use std::collections::{BTreeMap, BTreeSet};

use super::columns::{Cells, align};
use super::group::{Group, groups, left, place};
use super::line::{Ink, Line, Page, WIDTH};
use super::words;
use crate::model::{AgentEntry, Cause, Finding, FindingKind};
use crate::ranks;

/// A longer cycle is cut in the middle.
const MAX_CYCLE: usize = 8;
/// Rows shown before the rest is counted.
const MAX_ROWS: usize = 12;
const INDENT: usize = 2;

/// Draws the core of `finding`.
pub(crate) fn core(finding: &Finding, job: u32, page: &mut Page) {
    let all = groups(&finding.core, job);
    let nodes = cycle(finding, &all);
    if nodes.is_empty() {
        ended(finding, &all, page);
    } else {
        ring(&nodes, page);
        let shown: BTreeSet<&str> = nodes
            .iter()
            .flat_map(|node| node.members.iter().map(|m| m.agent.as_str()))
            .collect();
        let rest: Vec<&AgentEntry> = finding
            .core
            .iter()
            .filter(|entry| !shown.contains(entry.agent.as_str()))
            .collect();
        if !rest.is_empty() {
            page.blank();
            page.push(
                Line::new()
                    .space(INDENT)
                    .ink(Ink::Plain, "also part of it:"),
            );
            rows(&groups(rest, job), INDENT + 2, page);
        }
    }
}

/// The cycle to draw, each node with all that stand where it stands. Empty: there is none.
pub(crate) fn cycle<'a>(finding: &'a Finding, all: &[Group<'a>]) -> Vec<Group<'a>> {
    let by_name: BTreeMap<&str, &AgentEntry> = finding
        .core
        .iter()
        .map(|entry| (entry.agent.as_str(), entry))
        .collect();
    let given: Vec<&AgentEntry> = finding
        .cycle
        .iter()
        .filter_map(|name| by_name.get(name.as_str()).copied())
        .collect();
    let nodes = if given.is_empty() || given.len() != finding.cycle.len() {
        walk(finding, &by_name)
    } else {
        given
    };
    let on_it: BTreeSet<&str> = nodes.iter().map(|entry| entry.agent.as_str()).collect();
    // Only small groups are searched for each node; all together that is linear in the core.
    let mut home: BTreeMap<&str, &Group<'a>> = BTreeMap::new();
    for group in all {
        let mut here = group
            .members
            .iter()
            .filter(|m| on_it.contains(m.agent.as_str()));
        if let (Some(only), None) = (here.next(), here.next()) {
            home.insert(&only.agent, group);
        }
    }
    let node = |entry: &&'a AgentEntry| match home.get(entry.agent.as_str()) {
        Some(group) => (*group).clone(),
        None => Group::single(entry),
    };
    nodes.iter().map(node).collect()
}

/// Follows the first wait inside the core until an agent comes again.
fn walk<'a>(
    finding: &'a Finding,
    by_name: &BTreeMap<&'a str, &'a AgentEntry>,
) -> Vec<&'a AgentEntry> {
    let Some(start) = finding.core.iter().find(|entry| !left(entry)) else {
        return Vec::new();
    };
    let mut path: Vec<&AgentEntry> = Vec::new();
    let mut at: BTreeMap<&str, usize> = BTreeMap::new();
    let mut entry = start;
    loop {
        if let Some(&first) = at.get(entry.agent.as_str()) {
            return path.split_off(first);
        }
        at.insert(&entry.agent, path.len());
        path.push(entry);
        let next = entry.waits_for.iter().find_map(|name| {
            by_name.get(name.as_str()).copied().or_else(|| {
                let (_, first, _) = ranks::parse(name)?;
                by_name.get(format!("rank {first}").as_str()).copied()
            })
        });
        match next {
            Some(next) if !left(next) => entry = next,
            _ => return Vec::new(),
        }
    }
}

fn ring(nodes: &[Group<'_>], page: &mut Page) {
    let shown: Vec<usize> = if nodes.len() <= MAX_CYCLE {
        (0..nodes.len()).collect()
    } else {
        vec![0, 1, 2, nodes.len() - 1]
    };
    let cells: Vec<Cells> = shown.iter().map(|&i| node_cells(&nodes[i])).collect();
    let cells = align(cells, INDENT + 4);
    let side = || Line::new().space(INDENT).ink(Ink::Rule, "│");
    let last = shown.len() - 1;
    for (row, &i) in shown.iter().enumerate() {
        if row > 0 {
            page.push(side().space(5).ink(Ink::Rule, "▼"));
            let skipped = i - shown[row - 1] - 1;
            if skipped > 0 {
                let text = format!("… {skipped} more, each waiting for the next …");
                page.push(side().space(3).ink(Ink::Dim, &text));
                page.push(side().space(5).ink(Ink::Rule, "▼"));
            }
        }
        let start = if row == 0 {
            Line::new().space(INDENT).ink(Ink::Rule, "┌─▶ ")
        } else {
            side().space(3)
        };
        page.push(start.then(&cells[row]).cut(WIDTH));
        edge(
            &nodes[i],
            &side().space(5).ink(Ink::Rule, "│").space(1),
            page,
        );
        if row == last {
            page.push(Line::new().space(INDENT).ink(Ink::Rule, "└─────┘"));
        }
    }
}

/// Rows of those who wait, an arrow, and those who left.
fn ended(finding: &Finding, all: &[Group<'_>], page: &mut Page) {
    let (gone, waiting): (Vec<_>, Vec<_>) = all.iter().cloned().partition(Group::left);
    if gone.is_empty() || waiting.is_empty() {
        rows(all, INDENT, page);
        return;
    }
    let gutter = Line::new().space(INDENT + 2).ink(Ink::Rule, "│").space(1);
    if let [only] = &waiting[..] {
        let cells = align(vec![node_cells(only)], INDENT);
        page.extend(cells.iter().map(|c| Line::new().space(INDENT).then(c)));
        edge(only, &gutter, page);
    } else {
        rows(&waiting, INDENT, page);
        page.push(gutter.clone());
    }
    page.push(Line::new().space(INDENT + 2).ink(Ink::Rule, "▼"));
    let cells = gone.iter().take(MAX_ROWS).map(|group| {
        let mut cells = node_cells(group);
        if let Some(cause) = finding
            .causes
            .iter()
            .find(|cause| draws_cause(finding, cause))
        {
            cells[1].1 = words::state_as(group.one(), &words::cause(cause));
        }
        cells
    });
    let cells = align(cells.collect(), INDENT);
    page.extend(cells.iter().map(|c| Line::new().space(INDENT).then(c)));
    more(gone.len(), INDENT, page);
}

/// Whether the drawing says `cause`, as the state of the only partner that left.
pub(crate) fn draws_cause(finding: &Finding, cause: &Cause) -> bool {
    let deadlock = matches!(
        finding.kind,
        FindingKind::Deadlock | FindingKind::PotentialDeadlock
    );
    let mut gone = finding.core.iter().filter(|entry| left(entry));
    let only = match (gone.next(), gone.next()) {
        (Some(only), None) => only.rank == cause.rank && only.world == cause.world,
        _ => false,
    };
    // The first cause of that rank, and a drawing that has room for it.
    let same = |c: &&Cause| c.rank == cause.rank && c.world == cause.world;
    let first = finding.causes.iter().find(same).is_some_and(|c| c == cause);
    deadlock && only && first && finding.core.len() > 1 && finding.cycle.is_empty()
}

/// What stands beside an arrow.
fn edge(group: &Group<'_>, gutter: &Line, page: &mut Page) {
    if group.left() {
        page.push(gutter.clone());
        return;
    }
    let text = Line::plain(&words::wait_and_reason(group));
    page.extend(text.wrap(gutter.clone(), &gutter.clone().space(2)));
    if group.one().requests.len() > 1 && group.members.len() == 1 {
        for request in words::requests(group.one()) {
            let first = gutter.clone().ink(Ink::Dim, "· ");
            page.extend(Line::plain(&request).wrap(first, &gutter.clone().space(4)));
        }
    }
}

/// One row a group: who, call, place, for whom.
pub(crate) fn rows(groups: &[Group<'_>], indent: usize, page: &mut Page) {
    let cells = groups
        .iter()
        .take(MAX_ROWS)
        .map(|group| {
            let mut cells = node_cells(group);
            if !group.left() {
                cells[3] = (Ink::Plain, words::short_wait(group));
            }
            cells
        })
        .collect();
    let lines = align(cells, indent);
    page.extend(
        lines
            .iter()
            .map(|line| Line::new().space(indent).then(line)),
    );
    more(groups.len(), indent, page);
}

fn more(n: usize, indent: usize, page: &mut Page) {
    if n > MAX_ROWS {
        let text = format!("… and {} more rows like these", n - MAX_ROWS);
        page.push(Line::new().space(indent).ink(Ink::Dim, &text));
    }
}

fn node_cells(group: &Group<'_>) -> Cells {
    let names = (Ink::Agent, group.names().text);
    if group.left() {
        let place = group.frame().map_or(String::new(), place);
        let state = words::state(group.one());
        let state = if place.is_empty() {
            state
        } else {
            format!("{state} at {place}")
        };
        return [
            names,
            (Ink::Plain, state),
            (Ink::Plain, String::new()),
            (Ink::Plain, String::new()),
        ];
    }
    [
        names,
        (Ink::Plain, group.call()),
        (Ink::Plain, group.frame().map_or(String::new(), place)),
        (Ink::Dim, group.mpi_call()),
    ]
}
