//! Patched programs, checked.

use std::fs;
use std::time::{Duration, Instant};

use standoff_report::{Finding, FindingKind, Report, Scope, Severity, Verdict};

use super::copy::{Copy, Program, Texts};
use crate::check::{self, Budget};
use crate::cli::{CheckArgs, RunArgs};
use crate::error::Error;
use crate::input::{Input, Kept};
use crate::interrupt;
use crate::run::{self, How};

/// A number of ranks with which a patch was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Size {
    /// The number; `None`: that of the launcher that was typed.
    pub ranks: Option<u32>,
    /// Every execution was looked at; else the bound.
    pub bound: Option<String>,
}

/// What came of one check.
#[derive(Debug)]
pub struct Checked {
    /// The report.
    pub report: Report,
    /// What the program printed. Lines of several ranks come in any order, so they are sorted.
    pub output: Vec<String>,
    /// A signal asked to end.
    pub interrupted: bool,
}

impl Checked {
    /// The first error.
    pub fn error(&self) -> Option<&Finding> {
        self.report
            .findings
            .iter()
            .find(|f| f.severity == Severity::Error)
    }

    /// It ran to its end.
    pub fn ended(&self) -> bool {
        matches!(
            self.report.verdict,
            Verdict::Clean | Verdict::PotentialDeadlock
        ) && self.report.exit.code == Some(0)
    }

    fn size(&self, ranks: Option<u32>) -> Option<Size> {
        let fine = self.report.verdict == Verdict::Clean && self.report.exit.code == Some(0);
        let all = self.report.scope == Scope::AllExecutions;
        fine.then(|| Size {
            ranks,
            bound: (!all).then(|| {
                self.report
                    .bound
                    .clone()
                    .unwrap_or_else(|| "not all executions".to_owned())
            }),
        })
    }
}

/// What came of a patch.
#[derive(Debug)]
pub enum Trial {
    /// Clean with the number of ranks asked for.
    Cures(Cured),
    /// It still hangs with the number of ranks asked for, as this shows.
    Hangs(Box<Checked>),
    /// It cannot be run, or fails otherwise: why.
    Fails(String),
    /// A signal asked to end.
    Interrupted,
}

/// A patched program that is clean.
#[derive(Clone, Debug, Default)]
pub struct Cured {
    /// Numbers of ranks with which it is.
    pub sizes: Vec<Size>,
    /// Others of those wanted: it hangs or fails there, which may be the program's own limit.
    pub not: Vec<u32>,
    /// What it printed with the number asked for.
    pub printed: Vec<String>,
}

/// How patches are checked.
#[derive(Debug)]
pub struct Trials<'a> {
    /// As typed.
    pub run: &'a RunArgs,
    /// Of each check.
    pub budget: Option<Budget>,
    /// Further numbers of ranks.
    pub sizes: &'a [u32],
    /// For C.
    pub build: Option<&'a str>,
    /// What is patched.
    pub program: &'a Program,
}

impl<'a> Trials<'a> {
    /// Nothing checked yet.
    pub fn new(run: &'a RunArgs, program: &'a Program) -> Trials<'a> {
        Trials {
            run,
            budget: None,
            sizes: &[],
            build: None,
            program,
        }
    }

    /// The program as it is.
    pub fn original(&self, ranks: Option<u32>) -> Result<Checked, Error> {
        let dir = tempfile::tempdir()
            .map_err(|e| Error::Fix(format!("cannot keep the program's output: {e}")))?;
        let output = dir.path().join("output");
        self.check(self.run.words.clone(), Vec::new(), ranks, output)
    }

    fn check(
        &self,
        words: Vec<std::ffi::OsString>,
        env: Vec<(std::ffi::OsString, std::ffi::OsString)>,
        ranks: Option<u32>,
        output: std::path::PathBuf,
    ) -> Result<Checked, Error> {
        let args = CheckArgs {
            no_rerun: false,
            scratch: false,
            budget: self.budget,
            run: RunArgs {
                words,
                ranks,
                json: None,
                // It would cure what is to be patched.
                rescue: None,
                quiet: true,
                ..self.run.clone()
            },
        };
        let how = How {
            env,
            silent: true,
            output: Some(output.clone()),
            ..How::default()
        };
        let outcome = check::examine(&args, &how)?;
        let text = fs::read(&output).unwrap_or_default();
        let mut lines: Vec<String> = String::from_utf8_lossy(&text)
            .lines()
            .map(str::to_owned)
            .collect();
        lines.sort();
        Ok(Checked {
            report: outcome.report,
            output: lines,
            interrupted: outcome.interrupted,
        })
    }

    /// Runs a copy once, or the program as it is: how long it took, if it ended well.
    pub fn time(&self, copy: Option<&Copy>) -> Result<Option<Duration>, Error> {
        let (words, env) = match copy {
            Some(copy) => (copy.words.clone(), copy.env.clone()),
            None => (self.run.words.clone(), Vec::new()),
        };
        let dir = tempfile::tempdir()
            .map_err(|e| Error::Fix(format!("cannot keep the program's output: {e}")))?;
        let args = RunArgs {
            words,
            json: None,
            rescue: None,
            on_deadlock: None,
            quiet: true,
            ..self.run.clone()
        };
        let how = How {
            env,
            silent: true,
            // Empty: what was never kept.
            input: Input::Again(Kept::new(dir.path().join("input"))),
            output: Some(dir.path().join("output")),
            ..How::default()
        };
        if interrupt::asked().is_some() {
            return Ok(None);
        }
        let begun = Instant::now();
        let outcome = run::execute_as(args, how)?;
        let ended = outcome.happened.job.is_some_and(|exit| exit.success());
        let well = ended && outcome.report.verdict == Verdict::Clean && !outcome.interrupted;
        Ok(well.then(|| begun.elapsed()))
    }

    /// Checks a patched program, first with the number of ranks asked for.
    pub fn of(&self, texts: &Texts) -> Result<Trial, Error> {
        let copy = match self.program.copy(texts, self.build) {
            // The compiler may have got the signal, too.
            Ok(_) | Err(_) if interrupt::asked().is_some() => return Ok(Trial::Interrupted),
            Ok(copy) => copy,
            Err(Error::Fix(why)) => return Ok(Trial::Fails(why)),
            Err(other) => return Err(other),
        };
        let asked = self.run.ranks;
        let more: Vec<u32> = match asked {
            Some(n) => self.sizes.iter().copied().filter(|&s| s != n).collect(),
            None => Vec::new(),
        };
        let mut cured = Cured::default();
        for ranks in std::iter::once(asked).chain(more.into_iter().map(Some)) {
            let mut checked =
                self.check(copy.words.clone(), copy.env.clone(), ranks, copy.output())?;
            if checked.interrupted {
                return Ok(Trial::Interrupted);
            }
            match (checked.size(ranks), ranks) {
                (Some(size), _) if ranks == asked => {
                    cured.sizes.push(size);
                    cured.printed = checked.output;
                }
                (Some(size), _) => cured.sizes.push(size),
                (None, Some(n)) if ranks != asked => cured.not.push(n),
                (None, _) => {
                    for finding in &mut checked.report.findings {
                        copy.rename(self.program, finding);
                    }
                    let ended = [FindingKind::Crash, FindingKind::Timeout];
                    if checked.error().is_some_and(|f| !ended.contains(&f.kind)) {
                        return Ok(Trial::Hangs(Box::new(checked)));
                    }
                    let code = checked.report.exit.code;
                    let how = code.map_or("by a signal".to_owned(), |c| format!("with status {c}"));
                    return Ok(Trial::Fails(format!("the patched program ends {how}")));
                }
            }
        }
        Ok(Trial::Cures(cured))
    }
}
