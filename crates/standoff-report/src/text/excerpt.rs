//! Source lines, with the calls underlined and the agents that wait in them beside.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::call::{find_call, window};
use super::group::place;
use super::line::{Ink, Line, Page, WIDTH, clean, cut_path, width};
use crate::model::Frame;
use crate::ranks;
use crate::sources::Sources;

/// Something to say about one source line.
#[derive(Clone, Debug)]
pub(crate) struct Mark<'a> {
    /// Innermost frame first; the first one is the line.
    pub stack: &'a [Frame],
    /// What to underline, as the user or MPI calls it. Empty: the whole line.
    pub call: String,
    /// Who, by name.
    pub names: Vec<Cow<'a, str>>,
    /// And in words: `ranks 1 and 5`.
    pub who: String,
    /// `waits here for …`.
    pub what: String,
    pub ink: Ink,
}

/// Excerpts shown of one finding.
const MAX_FILES: usize = 6;
/// Marked lines shown of one file.
const MAX_LINES: usize = 8;
/// Marks shown of one line.
const MAX_MARKS: usize = 4;
/// Lines shown before and after a marked one.
const AROUND: u32 = 1;

/// Shows all `marks`, file by file in order of their first appearance.
pub(crate) fn excerpts(marks: &[Mark<'_>], sources: &dyn Sources, page: &mut Page) {
    let mut natives = 0;
    let mut files: Vec<(&str, BTreeMap<u32, Vec<&Mark<'_>>>)> = Vec::new();
    for mark in marks {
        match mark.stack.first() {
            Some(Frame {
                file: Some(file),
                line: Some(line),
                ..
            }) => {
                let at = files.iter().position(|(name, _)| name == file);
                let at = at.unwrap_or_else(|| {
                    files.push((file, BTreeMap::new()));
                    files.len() - 1
                });
                files[at].1.entry(*line).or_default().push(mark);
            }
            Some(frame) => {
                natives += 1;
                if natives <= MAX_FILES {
                    page.blank();
                    native(frame, mark, page);
                }
            }
            None => {}
        }
    }
    if natives > MAX_FILES {
        let text = format!("… and {} more places", natives - MAX_FILES);
        page.push(Line::new().space(2).ink(Ink::Dim, &text));
    }
    for (file, lines) in files.iter().take(MAX_FILES) {
        page.blank();
        excerpt(file, lines, sources, page);
    }
    if files.len() > MAX_FILES {
        let text = format!("… and places in {} more files", files.len() - MAX_FILES);
        page.push(Line::new().space(2).ink(Ink::Dim, &text));
    }
}

/// A frame of which the source line is not known.
fn native(frame: &Frame, mark: &Mark<'_>, page: &mut Page) {
    let head = arrow(3, &format!("in {}", place(frame)));
    page.push(head);
    said(mark, rule(3), page);
    if let Some(hint) = frame.hint.as_deref().filter(|hint| !hint.is_empty()) {
        equals(hint, 3, page);
    }
    callers(&[mark], 3, page);
}

fn excerpt(
    file: &str,
    lines: &BTreeMap<u32, Vec<&Mark<'_>>>,
    sources: &dyn Sources,
    page: &mut Page,
) {
    let shown: Vec<u32> = lines.keys().copied().take(MAX_LINES).collect();
    let (first, last) = (shown[0], shown[shown.len() - 1]);
    let digits = last.saturating_add(AROUND).to_string().len().max(2);
    let mut title = format!("{file}:{first}");
    if shown.len() == 1
        && let Some(function) = lines[&first][0].stack[0].function.as_deref()
        && function != "<module>"
    {
        title = format!("{title} in {function}");
    }
    let marks: Vec<&Mark<'_>> = shown
        .iter()
        .flat_map(|n| lines[n].iter().copied())
        .collect();
    if !shown.iter().any(|&n| sources.line(file, n).is_some()) {
        // The drawing has said the rest.
        if marks.iter().any(|mark| mark.stack.len() > 1) {
            page.push(arrow(digits, &title));
            callers(&marks, digits, page);
        }
        return;
    }
    page.push(arrow(digits, &title));
    let indent = shared_indent(file, &shown, sources, WIDTH - (digits + 5));
    let line = |n| {
        let code = expand(&sources.line(file, n)?);
        Some(code.get(indent..).unwrap_or_default().to_owned())
    };
    let mut next = 0;
    let mut any = false;
    for &n in &shown {
        let Some(code) = line(n) else {
            for mark in &lines[&n] {
                page.push(numbered(n, digits));
                said(mark, rule(digits), page);
            }
            next = n.saturating_add(1);
            continue;
        };
        let from = n.saturating_sub(AROUND).max(1).max(next);
        if any && from > next {
            page.push(Line::new().space(2 + digits).ink(Ink::Rule, "…"));
        }
        any = true;
        for before in from..n {
            context(before, line(before), digits, page);
        }
        marked(n, &code, &lines[&n], digits, page);
        let after_limit = n.saturating_add(AROUND);
        next = n.saturating_add(1);
        while next <= after_limit && !lines.contains_key(&next) && next > n {
            let Some(text) = line(next) else {
                break;
            };
            if !(text.trim().is_empty() && next == after_limit) {
                context(next, Some(text), digits, page);
            }
            next = next.saturating_add(1);
            if next == u32::MAX {
                break;
            }
        }
    }
    if lines.len() > MAX_LINES {
        let text = format!("… and {} more lines", lines.len() - MAX_LINES);
        page.push(Line::new().space(3 + digits).ink(Ink::Dim, &text));
    }
    callers(&marks, digits, page);
}

/// What all lines shown begin with may go where one of them is too long: the columns to leave out.
fn shared_indent(file: &str, shown: &[u32], sources: &dyn Sources, room: usize) -> usize {
    let around = |&n: &u32| n.saturating_sub(AROUND)..=n.saturating_add(AROUND);
    let lines = shown
        .iter()
        .flat_map(around)
        .filter_map(|n| sources.line(file, n));
    let mut indent = usize::MAX;
    let mut long = false;
    for code in lines
        .map(|code| expand(&code))
        .filter(|code| !code.is_empty())
    {
        indent = indent.min(code.len() - code.trim_start_matches(' ').len());
        long |= width(&code) > room;
    }
    if long { indent } else { 0 }
}

fn arrow(digits: usize, text: &str) -> Line {
    let line = Line::new().space(1 + digits).ink(Ink::Rule, "--> ");
    let room = WIDTH - line.width();
    line.ink(Ink::Plain, &cut_path(&clean(text), room))
}

fn rule(digits: usize) -> Line {
    Line::new().space(3 + digits).ink(Ink::Rule, "│")
}

fn numbered(n: u32, digits: usize) -> Line {
    Line::new()
        .space(2)
        .ink(Ink::Rule, &format!("{n:>digits$} │"))
}

fn context(n: u32, text: Option<String>, digits: usize, page: &mut Page) {
    let text = text.unwrap_or_default();
    let line = numbered(n, digits);
    page.push(if text.is_empty() {
        line
    } else {
        line.space(1).ink(Ink::Plain, &text).cut(WIDTH)
    });
}

/// A source line, what is underlined in it, and what is said about it.
fn marked(n: u32, code: &str, marks: &[&Mark<'_>], digits: usize, page: &mut Page) {
    let (from, to) = find_call(code, &marks[0].call);
    let room = WIDTH - (digits + 5);
    let (shown, column, length) = window(code, from, to, room);
    page.push(numbered(n, digits).space(1).ink(Ink::Plain, &shown));
    let mut carets = rule(digits)
        .space(1 + column)
        .ink(marks[0].ink, &"^".repeat(length));
    let mut marks = marks;
    if let [only] = marks {
        let text = format!("{} {}", only.who, only.what);
        if carets.width() + 1 + width(&clean(&text)) <= WIDTH {
            carets = carets.space(1).then(&label(only));
            marks = &[];
        }
    }
    page.push(carets);
    // Under the carets, or nearer to the margin where that leaves little room.
    let column = if column + 40 > room { 4 } else { column };
    for mark in marks.iter().take(MAX_MARKS) {
        said(mark, rule(digits).space(column), page);
    }
    if marks.len() > MAX_MARKS {
        let text = format!("… and {} more groups here", marks.len() - MAX_MARKS);
        page.push(rule(digits).space(1 + column).ink(Ink::Dim, &text));
    }
}

fn label(mark: &Mark<'_>) -> Line {
    Line::new()
        .ink(mark.ink, &mark.who)
        .space(1)
        .ink(Ink::Plain, &mark.what)
}

fn said(mark: &Mark<'_>, start: Line, page: &mut Page) {
    let start = start.space(1);
    page.extend(label(mark).wrap(start.clone(), &start.space(2)));
}

/// `called from` lines, once for each different stack.
fn callers(marks: &[&Mark<'_>], digits: usize, page: &mut Page) {
    const MAX_FRAMES: usize = 4;
    const MAX_STACKS: usize = 4;
    let mut stacks: Vec<(Vec<String>, Vec<&Mark<'_>>)> = Vec::new();
    for mark in marks {
        let frames: Vec<String> = mark.stack.iter().skip(1).map(frame).collect();
        if frames.is_empty() {
            continue;
        }
        match stacks.iter_mut().find(|(known, _)| *known == frames) {
            Some((_, who)) => who.push(mark),
            None => stacks.push((frames, vec![mark])),
        }
    }
    let alone = stacks.len() == 1 && stacks[0].1.len() == marks.len();
    for (frames, who) in stacks.iter().take(MAX_STACKS) {
        let mut text = frames[..frames.len().min(MAX_FRAMES)].join(", from ");
        if frames.len() > MAX_FRAMES {
            text += &format!(", … {} more", frames.len() - MAX_FRAMES);
        }
        let text = if alone {
            format!("called from {text}")
        } else {
            let names = who.iter().flat_map(|mark| &mark.names);
            let list = ranks::agents(names.map(|name| &**name));
            format!("{} called from {text}", list.text)
        };
        equals(&text, digits, page);
    }
}

/// A line that says more about an excerpt.
fn equals(text: &str, digits: usize, page: &mut Page) {
    let start = Line::new().space(3 + digits).ink(Ink::Rule, "= ");
    page.extend(Line::plain(text).wrap(start, &Line::new().space(5 + digits)));
}

/// `solve (solver.py:88)`.
fn frame(frame: &Frame) -> String {
    let at = place(frame);
    match frame.function.as_deref() {
        Some(function) if frame.file.is_some() => format!("{function} ({at})"),
        _ => at,
    }
}

/// Tabs to columns, nothing at the end.
fn expand(code: &str) -> String {
    let mut text = String::new();
    for c in code.trim_end().chars().take(2000) {
        if c == '\t' {
            text.push_str(&" ".repeat(4 - text.len() % 4));
        } else {
            text.push(c);
        }
    }
    clean(&text)
}
