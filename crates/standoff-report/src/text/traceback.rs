//! The exceptions that caused findings, once and last, as Python shows them.

use std::collections::BTreeMap;

use super::headline::cause_name;
use super::line::{Ink, Line, Page, WIDTH};
use crate::model::{Report, Traceback};
use crate::ranks;
use crate::sources::Sources;

/// Different exceptions shown.
const MAX_SHOWN: usize = 3;
/// Frames shown at each end of one.
const MAX_FRAMES: usize = 12;

pub(crate) fn all(report: &Report, sources: &dyn Sources, page: &mut Page) {
    let mut seen: BTreeMap<&Traceback, Vec<String>> = BTreeMap::new();
    let mut order: Vec<&Traceback> = Vec::new();
    for cause in report.findings.iter().flat_map(|f| &f.causes) {
        let Some(traceback) = &cause.traceback else {
            continue;
        };
        let names = seen.entry(traceback).or_insert_with(|| {
            order.push(traceback);
            Vec::new()
        });
        let name = cause_name(cause.world, cause.rank);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    for traceback in order.iter().take(MAX_SHOWN) {
        let names = ranks::agents(seen[traceback].iter().map(String::as_str)).text;
        page.blank();
        let heading = Line::plain(&format!("the exception of {names}:"));
        page.extend(heading.wrap(Line::new(), &Line::new()));
        one(traceback, sources, page);
    }
    if order.len() > MAX_SHOWN {
        let text = format!("… and {} other exceptions", order.len() - MAX_SHOWN);
        page.push(Line::new().ink(Ink::Dim, &text));
    }
}

fn one(traceback: &Traceback, sources: &dyn Sources, page: &mut Page) {
    page.push(Line::plain("Traceback (most recent call last):"));
    let frames = &traceback.frames;
    let hidden = frames.len().saturating_sub(2 * MAX_FRAMES);
    for (i, frame) in frames.iter().enumerate() {
        if hidden > 0 && i == MAX_FRAMES {
            page.push(Line::plain(&format!("  [… {hidden} frames …]")));
        }
        if hidden > 0 && (MAX_FRAMES..MAX_FRAMES + hidden).contains(&i) {
            continue;
        }
        let (Some(file), Some(line)) = (&frame.file, frame.line) else {
            continue;
        };
        let function = frame.function.as_deref().unwrap_or("?");
        let place = Line::plain(&format!("File \"{file}\", line {line}, in {function}"));
        page.extend(place.wrap(Line::new().space(2), &Line::new().space(4)));
        if let Some(code) = sources.line(file, line) {
            let code = Line::plain(&format!("    {}", code.trim()));
            page.push(code.cut(WIDTH));
        }
    }
    for line in traceback.error.lines() {
        let error = Line::new().ink(Ink::Error, line);
        page.extend(error.wrap(Line::new(), &Line::new().space(2)));
    }
}
