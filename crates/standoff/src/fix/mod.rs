//! `standoff fix`: a check, patches of the source for what it found first, and a check of each on a copy of the program.
//!
//! The patches are made by the crate `standoff-fix`; here they are tried ([`trial`]), shown ([`show`]) and written ([`write`](mod@write)).

pub mod copy;
pub mod hint;
pub mod nothing;
pub mod show;
pub mod sources;
pub mod speed;
pub mod trial;
pub mod which;
pub mod write;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use standoff_fix::{Candidate, Repair, edit};
use standoff_report::{Finding, Verdict};

use self::copy::{Program, Texts};
use self::sources::Source;
use self::speed::Speed;
use self::trial::{Checked, Cured, Trial, Trials};
use crate::cli::FixArgs;
use crate::error::Error;
use crate::exit::{self, Status};
use crate::interrupt;
use crate::output::{self, JsonFile, Style};
use crate::program;

/// Deadlocks of one program that are cured one behind the other.
const ROUNDS: usize = 4;
/// Patches that are tried for one deadlock.
const MOST: usize = 12;
/// A patch with which the program takes so many times as long as with another comes behind it, however small it is.
const MUCH: f64 = 1.5;

/// A file before and after.
#[derive(Clone, Debug)]
pub struct Change {
    /// From the current directory, if it lies below; else as the finding calls it.
    pub name: String,
    /// Where it really is.
    pub path: PathBuf,
    /// Its text.
    pub old: String,
    /// And with the patch.
    pub new: String,
}

/// A patch that is shown.
#[derive(Clone, Debug)]
pub struct Patch {
    /// What it does.
    pub repair: Repair,
    /// In a sentence.
    pub why: String,
    /// The files that it changes.
    pub changes: Vec<Change>,
    /// What its checks came to. Empty for a guard.
    pub cured: Cured,
    /// What a run of it took, if it was timed.
    pub speed: Option<Speed>,
    /// How what it prints differs from what the program printed: the first line that only one of them has.
    pub differs: Option<String>,
}

impl Patch {
    /// Every execution was looked at, at each size.
    pub fn proved(&self) -> bool {
        !self.cured.sizes.is_empty() && self.cured.sizes.iter().all(|s| s.bound.is_none())
    }

    /// Lines that it takes away and puts in.
    pub fn lines(&self) -> usize {
        self.changes
            .iter()
            .map(|c| edit::size(&c.old, &c.new))
            .sum()
    }
}

/// What came of it all.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// Best first.
    pub patches: Vec<Patch>,
    /// What a run of the program as it is took, if it was timed.
    pub speed: Option<Speed>,
    /// What was not offered, and why.
    pub refused: Vec<String>,
}

/// Does it and says how to exit.
pub fn fix(args: FixArgs) -> Result<Status, Error> {
    args.run.check()?;
    let json = args
        .run
        .json
        .as_deref()
        .map(JsonFile::prepare)
        .transpose()?;
    interrupt::listen()?;
    let begun = SystemTime::now();
    let clock = Instant::now();
    // What cannot be started is said as by `run`.
    program::classify(args.run.words.clone())?;
    let program = Program::find(&args.run.words)?;
    let mut trials = Trials::new(&args.run, &program);
    (trials.budget, trials.sizes, trials.build) = (args.budget, &args.sizes, args.build.as_deref());
    if !args.run.quiet {
        output::remark(
            "fix runs the program many times, as it is and patched; its output is not shown",
        );
    }
    let original = trials.original(args.run.ranks)?;
    let style = Style::for_stream(args.run.brief, args.run.color, &io::stderr());
    if !(args.run.quiet && original.report.verdict == Verdict::Clean) {
        output::diagnosis(&original.report, style);
    }
    let mut done = Done::default();
    if let (Some(finding), false) = (original.error(), original.interrupted) {
        done = search(&trials, finding.clone(), original.report.ranks, begun)?;
        if done.patches.iter().all(|p| p.repair == Repair::Guard) && interrupt::asked().is_none() {
            done.refused.insert(0, nothing::word(finding));
        }
    }
    compare(&original, &mut done.patches);
    done.patches.sort_by_key(order);
    if interrupt::asked().is_none() {
        let spent = clock.elapsed();
        done.speed = speed::measure(&trials, original.ended(), &mut done.patches, spent)?;
        done.patches.sort_by_key(order);
    }
    if interrupt::asked().is_some() {
        let word = "fix was interrupted before it had tried everything.";
        done.refused.push(word.to_owned());
    }
    let nothing = original.error().is_none() && !original.interrupted;
    if let Some(json) = json {
        json.put(&show::json(&done, &original.report))?;
    }
    show::text(&done, nothing)?;
    // What was found so far is shown, but whoever ends it does not want its work done.
    if let Some(signal) = interrupt::asked() {
        return Ok(Status::Signal(signal));
    }
    let best = done.patches.iter().find(|p| p.repair != Repair::Guard);
    if let (true, Some(best)) = (args.apply, best) {
        for change in &best.changes {
            let kept = write::apply(&change.path, &change.old, &change.new)?;
            let kept = kept.map(|k| format!("; what was there is in {}", k.display()));
            output::remark(&format!(
                "wrote {}{}",
                change.name,
                kept.unwrap_or_default()
            ));
        }
    }
    Ok(match original.report.verdict {
        _ if best.is_some() => Status::OK,
        Verdict::Clean => Status::OK,
        Verdict::Deadlock => Status::Code(args.run.error_exitcode),
        Verdict::PotentialDeadlock => Status::Code(exit::WARNED),
        Verdict::Stalled => Status::Code(exit::STALLED),
        Verdict::Failed => match original.report.exit.code {
            Some(code) if code & 0xff != 0 => Status::Code((code & 0xff) as u8),
            _ => Status::Code(1),
        },
    })
}

/// What makes one patch better than another: that it is proved, that it does not make the program much slower, how little it changes, that it is not slower, how
/// plain it is.
fn order(patch: &Patch) -> (bool, bool, bool, usize, bool, Repair) {
    let slower = patch.speed.as_ref().and_then(|s| s.slower);
    (
        patch.repair == Repair::Guard,
        !patch.proved(),
        slower.is_some_and(|times| times > MUCH),
        patch.lines(),
        slower.is_some(),
        patch.repair,
    )
}

/// A patch after which the program hangs elsewhere.
struct Forward {
    /// Best first: see [`Candidate::around`]; lines that change.
    cost: (bool, usize),
    texts: Texts,
    finding: Finding,
}

fn search(
    trials: &Trials<'_>,
    mut finding: Finding,
    ranks: u32,
    begun: SystemTime,
) -> Result<Done, Error> {
    let mut done = Done::default();
    let mut base = Texts::new();
    // Swaps that came out clean: another condition in the same place is not tried.
    let mut swapped = BTreeSet::new();
    for round in 0..ROUNDS {
        let mut forward: Option<Forward> = None;
        let sources = read(&finding, &base, begun, &mut done.refused);
        let mut made = candidates(&finding, ranks, &sources, &mut done.refused);
        made.truncate(MOST);
        for (source, candidate) in &made {
            let start = candidate.edits.iter().map(|e| e.range.start).min();
            let alternative = (candidate.repair, source.path.clone(), start);
            if swapped.contains(&alternative) {
                continue;
            }
            let Some(text) = edit::apply(&source.text, &candidate.edits) else {
                continue;
            };
            let mut texts = base.clone();
            texts.insert(source.path.clone(), text);
            let tried = trials.of(&texts)?;
            let what = format!(
                "{} ({})",
                candidate.repair.name(),
                candidate.why.trim_end_matches('.')
            );
            let patch = |cured: Cured| Patch {
                repair: candidate.repair,
                why: match round {
                    0 => candidate.why.clone(),
                    n => format!(
                        "{} It follows {n} other change{} for what hung before.",
                        candidate.why,
                        if n == 1 { "" } else { "s" }
                    ),
                },
                changes: changes(&texts, &sources),
                cured,
                speed: None,
                differs: None,
            };
            let guard = candidate.repair == Repair::Guard;
            match tried {
                Trial::Interrupted => {
                    interrupt::remember();
                    return Ok(done);
                }
                Trial::Cures(_) | Trial::Fails(_) if guard => {
                    done.patches.push(patch(Cured::default()));
                }
                Trial::Cures(_) | Trial::Fails(_) if candidate.repair == Repair::HalfCure => {
                    done.refused.push(
                        "both sides send first: that relies on the library to buffer the messages."
                            .to_owned(),
                    );
                }
                Trial::Cures(cured) => {
                    if candidate.repair == Repair::Swap && cured.not.is_empty() {
                        swapped.insert(alternative);
                    }
                    done.patches.push(patch(cured));
                }
                Trial::Fails(why) => done.refused.push(format!("{what}: {why}.")),
                Trial::Hangs(checked) => {
                    let Some(next) = checked.error() else {
                        continue;
                    };
                    if candidate.repair == Repair::HalfCure {
                        let why = &next.explanation;
                        done.refused.push(format!(
                            "both sides send first: that only hides the deadlock. {why}"
                        ));
                    } else if elsewhere(&finding, &sources, next) {
                        let lines = changes(&texts, &sources)
                            .iter()
                            .map(|c| edit::size(&c.old, &c.new))
                            .sum();
                        let cost = (candidate.around, lines);
                        if forward.as_ref().is_none_or(|f| cost < f.cost) {
                            forward = Some(Forward {
                                cost,
                                texts,
                                finding: next.clone(),
                            });
                        }
                    } else {
                        done.refused.push(format!("{what}: it still hangs."));
                    }
                }
            }
        }
        match forward {
            Some(next) if !done.patches.iter().any(|p| p.repair != Repair::Guard) => {
                (base, finding) = (next.texts, next.finding);
            }
            _ => break,
        }
    }
    let fine: BTreeSet<u32> = done
        .patches
        .iter()
        .flat_map(|p| p.cured.sizes.iter().filter_map(|s| s.ranks))
        .collect();
    // A number of ranks that nothing cures is the program's own limit; one that another patch copes with counts.
    let (kept, worse) = std::mem::take(&mut done.patches)
        .into_iter()
        .partition(|p: &Patch| !p.cured.not.iter().any(|n| fine.contains(n)));
    done.patches = kept;
    for patch in worse {
        let list: Vec<String> = patch
            .cured
            .not
            .iter()
            .filter(|n| fine.contains(n))
            .map(u32::to_string)
            .collect();
        done.refused.push(format!(
            "{} ({}): it fails with {} ranks, where another patch does not.",
            patch.repair.name(),
            patch.why.trim_end_matches('.'),
            list.join(" and ")
        ));
    }
    done.refused.sort();
    done.refused.dedup();
    Ok(done)
}

/// The files that a finding lies in, as they are with the patches so far.
fn read(
    finding: &Finding,
    base: &Texts,
    begun: SystemTime,
    refused: &mut Vec<String>,
) -> Vec<Source> {
    let mut out = Vec::new();
    for name in sources::names(finding) {
        match sources::read(&name, begun) {
            Ok(mut source) => {
                if let Some(text) = base.get(&source.path) {
                    source.text.clone_from(text);
                }
                out.push(source);
            }
            Err(why) => refused.push(why),
        }
    }
    out
}

fn candidates<'a>(
    finding: &Finding,
    ranks: u32,
    sources: &'a [Source],
    refused: &mut Vec<String>,
) -> Vec<(&'a Source, Candidate)> {
    let mut out: Vec<(&Source, Candidate)> = Vec::new();
    for source in sources {
        match standoff_fix::propose(finding, ranks, &source.name, source.language, &source.text) {
            Ok(proposal) => {
                out.extend(proposal.candidates.into_iter().map(|c| (source, c)));
                refused.extend(
                    proposal
                        .refused
                        .into_iter()
                        .map(|r| format!("{}: {r}", source.name)),
                );
            }
            Err(why) => refused.push(format!(
                "{}: {why}, so nothing is patched there.",
                source.name
            )),
        }
    }
    out.sort_by_key(|(_, c)| c.repair);
    out
}

/// From what is on disk to these texts.
fn changes(texts: &Texts, sources: &[Source]) -> Vec<Change> {
    // As `patch -p0` finds it from here; debug information has whole paths, of the first file and not of those in the copy.
    let here = std::env::current_dir().and_then(|dir| dir.canonicalize());
    let name = |path: &PathBuf| {
        let near = here
            .as_ref()
            .ok()
            .and_then(|dir| path.strip_prefix(dir).ok());
        let known = sources.iter().find(|s| &s.path == path);
        match (near, known) {
            (Some(near), _) => near.display().to_string(),
            (None, Some(source)) => source.name.clone(),
            (None, None) => path.display().to_string(),
        }
    };
    let change = |(path, new): (&PathBuf, &String)| {
        Some(Change {
            name: name(path),
            path: path.clone(),
            old: std::fs::read_to_string(path).ok()?,
            new: new.clone(),
        })
    };
    texts.iter().filter_map(change).collect()
}

/// Whether another finding lies in other statements: their files and texts are compared, as lines have moved and the copy lies elsewhere.
fn elsewhere(old: &Finding, sources: &[Source], new: &Finding) -> bool {
    let line = |text: &str, n: Option<u32>| {
        text.lines()
            .nth((n.unwrap_or(1) as usize).saturating_sub(1))
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    let texts = |finding: &Finding| -> Vec<(Option<OsString>, String)> {
        let frames = finding.core.iter().filter_map(|e| e.stack.first());
        frames
            .filter_map(|f| {
                let name = f.file.as_deref()?;
                let source = sources.iter().find(|s| s.name == name);
                let text = match source {
                    Some(source) => source.text.clone(),
                    None => std::fs::read_to_string(name).ok()?,
                };
                let file = Path::new(name).file_name().map(OsString::from);
                Some((file, line(&text, f.line)))
            })
            .collect()
    };
    let before = texts(old);
    let functions = |f: &Finding| {
        f.core
            .iter()
            .filter_map(|e| Some(e.stack.first()?.function.clone()))
            .collect::<Vec<_>>()
    };
    let same_function = functions(old)
        .iter()
        .any(|f| functions(new).contains(f) && f.as_deref() != Some("<module>"));
    let after = texts(new);
    !same_function && !after.is_empty() && after.iter().all(|l| !before.contains(l))
}

/// Says of each patch how its output differs from the program's, or from that of the first patch where the program printed nothing to the end.
fn compare(original: &Checked, patches: &mut [Patch]) {
    let (name, expected) = match patches.iter().find(|p| !p.cured.sizes.is_empty()) {
        _ if original.ended() => ("the program", original.output.clone()),
        Some(first) => (
            "the first patch that was tried",
            first.cured.printed.clone(),
        ),
        None => return,
    };
    for patch in patches
        .iter_mut()
        .filter(|p| !p.cured.sizes.is_empty() && p.cured.printed != expected)
    {
        let only = patch.cured.printed.iter().find(|l| !expected.contains(l));
        let missing = expected.iter().find(|l| !patch.cured.printed.contains(l));
        patch.differs = Some(match (only, missing) {
            (Some(line), _) => format!("it prints `{line}`, which {name} does not"),
            (None, Some(line)) => format!("it does not print `{line}`, as {name} does"),
            (None, None) => format!("it prints some lines more or less often than {name}"),
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A proved patch that puts in so many lines and is so many times as slow as the fastest.
    fn patch(lines: usize, slower: Option<f64>) -> Patch {
        let mut speed = Speed::new(vec![Duration::from_secs(1)]);
        speed.slower = slower;
        let size = trial::Size {
            ranks: Some(2),
            bound: None,
        };
        Patch {
            repair: Repair::Swap,
            why: String::new(),
            changes: vec![Change {
                name: "a.py".to_owned(),
                path: "a.py".into(),
                old: String::new(),
                new: "x\n".repeat(lines),
            }],
            cured: Cured {
                sizes: vec![size],
                ..Cured::default()
            },
            speed: Some(speed),
            differs: None,
        }
    }

    #[test]
    fn small_and_fast_first() {
        let ordered = |first: &Patch, second: &Patch| order(first) < order(second);
        assert!(ordered(&patch(1, None), &patch(2, None)));
        // Of the same size: the faster one. A little slower is better than larger, much slower is not.
        assert!(ordered(&patch(1, None), &patch(1, Some(1.2))));
        assert!(ordered(&patch(1, Some(1.2)), &patch(2, None)));
        assert!(ordered(&patch(2, None), &patch(1, Some(2.0))));
        // What was not timed is not slower.
        let unknown = Patch {
            speed: None,
            ..patch(1, None)
        };
        assert!(ordered(&unknown, &patch(1, Some(1.2))));
        let guard = Patch {
            repair: Repair::Guard,
            ..patch(1, None)
        };
        assert!(ordered(&patch(9, Some(9.0)), &guard));
    }
}
