//! The diagnosis for people: 80 columns, with or without colours.
//!
//! What it says is in the report; this module only arranges it. It does not look at the terminal: whether to colour
//! is the caller's choice.
//!
//! Known limits: characters whose width terminals disagree about can leave a line ragged (never wider than 80 columns
//! by the Unicode tables); of very large findings only the first groups, places and marks are shown, with a count of
//! the rest (the JSON has all).

mod alike;
mod call;
mod columns;
mod draw;
mod excerpt;
mod finding;
mod group;
mod headline;
mod line;
mod traceback;
mod words;

use std::collections::BTreeSet;
use std::io::{self, Write};

use self::finding::labelled;
use self::headline::{duration, errors, sentence};
use self::line::{Ink, Line, Page};
use crate::model::{FindingKind, Report, Severity, Verdict};
use crate::sources::Sources;

/// Whether to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Color {
    /// Text only.
    #[default]
    Never,
    /// With ANSI escapes.
    Always,
}

/// What to show and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Colours.
    pub color: Color,
    /// Only who waits for whom, where, and the first cure.
    pub brief: bool,
    /// Nothing at all if the verdict is clean and there is no warning.
    pub quiet: bool,
}

/// Writes the diagnosis of `report`.
///
/// # Errors
/// Those of `out`.
pub fn write(
    report: &Report,
    sources: &dyn Sources,
    options: Options,
    out: &mut impl Write,
) -> io::Result<()> {
    if options.quiet && report.verdict == Verdict::Clean && report.findings.is_empty() {
        return Ok(());
    }
    let mut page = Page::default();
    let (word, text) = headline::headline(report);
    let ink = match report.verdict {
        Verdict::Clean => Ink::Help,
        _ => Ink::Error,
    };
    let start = Line::new()
        .ink(Ink::Agent, "standoff")
        .ink(Ink::Plain, ": ")
        .ink(ink, word)
        .ink(Ink::Plain, ": ");
    page.extend(Line::plain(&text).wrap(start, &Line::new().space(10)));
    findings(report, sources, options, &mut page);
    if !options.brief {
        if !report.notes.is_empty() {
            page.blank();
        }
        for note in &report.notes {
            labelled(Ink::Note, "note", note, &mut page);
        }
        footer(report, &mut page);
        traceback::all(report, sources, &mut page);
    }
    page.write(options.color, out)
}

/// The first line without colours: the verdict and what was found in one sentence.
pub fn headline(report: &Report) -> String {
    let (word, text) = headline::headline(report);
    line::clean(&format!("{word}: {text}"))
}

/// `text` after `start`, in lines of at most 80 columns, the further ones indented by `indent`. A word that is wider, such as a path, stays in one piece,
/// so that it can be copied.
pub fn paragraph(start: &str, text: &str, indent: usize) -> String {
    let mut out = String::new();
    let mut start = Line::plain(start);
    let rest = Line::new().space(indent);
    for text in text.lines() {
        for line in Line::plain(text).wrap_words(start, &rest) {
            out.push_str(line.text().trim_end());
            out.push('\n');
        }
        start = rest.clone();
    }
    out
}

fn findings(report: &Report, sources: &dyn Sources, options: Options, page: &mut Page) {
    let groups = alike::together(errors(report));
    let many = groups.len() > 1;
    let mut assumed: BTreeSet<&str> = BTreeSet::new();
    for (i, group) in groups.iter().enumerate() {
        let finding = group.first;
        if many {
            page.blank();
            let start = Line::new().ink(Ink::Error, &format!("{}.", i + 1)).space(1);
            let rest = Line::new().space(start.width());
            let here = match finding.kind == FindingKind::Deadlock && finding.assumption.is_some() {
                true => "on this MPI ",
                false => "",
            };
            let text = format!("{here}{}", sentence(finding, report));
            page.extend(Line::plain(&text).wrap(start, &rest));
        }
        if options.brief {
            finding::brief(group, report, page);
        } else {
            if finding.kind == FindingKind::Timeout && !finding.core.is_empty() {
                page.blank();
                page.push(Line::plain("what every rank was doing then:"));
            }
            finding::full(group, report, sources, page);
            // Once is enough: further findings say in their heading that they rest on it.
            if let Some(assumption) = finding.assumption.as_deref().filter(|a| assumed.insert(a)) {
                finding::labelled(Ink::Note, "note", assumption, page);
            }
        }
    }
    for finding in &report.findings {
        if finding.kind == FindingKind::Snapshot {
            let alone = alike::Alike {
                first: finding,
                others: Vec::new(),
            };
            finding::full(&alone, report, sources, page);
        } else if finding.severity == Severity::Warning {
            if !options.brief {
                page.blank();
            }
            finding::warning(finding, report, page);
        }
    }
}

/// Where and how soon it was found.
fn footer(report: &Report, page: &mut Page) {
    if !matches!(report.verdict, Verdict::Deadlock | Verdict::Stalled) {
        return;
    }
    let mut text = crate::ranks::count(report.ranks as usize, "rank");
    if let Some(mpi) = &report.mpi {
        text += &format!(" on {}", mpi.library.lines().next().unwrap_or_default());
    }
    if let Some(ms) = report.detected_after_ms {
        text += &format!("; found {} after the last progress", duration(ms));
    }
    page.blank();
    page.push(Line::new().ink(Ink::Dim, &text).cut(line::WIDTH));
}
