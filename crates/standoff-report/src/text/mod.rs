//! The diagnosis for people: 80 columns, with or without colours.
//!
//! What it says is in the report; this module only arranges it. It does not look at the terminal: whether to colour
//! is the caller's choice.
//!
//! Known limits: characters whose width terminals disagree about can leave a line ragged (never wider than 80 columns
//! by the Unicode tables); of very large findings only the first groups, places and marks are shown, with a count of
//! the rest (the JSON has all).

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

fn findings(report: &Report, sources: &dyn Sources, options: Options, page: &mut Page) {
    let many = errors(report).count() > 1;
    for (i, finding) in errors(report).enumerate() {
        if many {
            page.blank();
            let start = Line::new().ink(Ink::Error, &format!("{}.", i + 1)).space(1);
            let rest = Line::new().space(start.width());
            page.extend(Line::plain(&sentence(finding, report)).wrap(start, &rest));
        }
        if options.brief {
            finding::brief(finding, report, page);
        } else {
            if finding.kind == FindingKind::Timeout && !finding.core.is_empty() {
                page.blank();
                page.push(Line::plain("what every rank was doing then:"));
            }
            finding::full(finding, report, sources, page);
        }
    }
    for finding in &report.findings {
        if finding.kind == FindingKind::Snapshot {
            finding::full(finding, report, sources, page);
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
