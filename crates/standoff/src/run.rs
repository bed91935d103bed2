//! `standoff run`.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use standoff_board::layout::RAISE_VAR;
use standoff_report::{Finding, FindingKind, MpiInfo, Report, Severity};

use crate::cli::RunArgs;
use crate::error::Error;
use crate::exit::Status;
use crate::fix::hint;
use crate::input::Input;
use crate::job::{self, Event, Outcome};
use crate::launcher::{self, Plan, Wishes};
use crate::monitor::watch::Monitor;
use crate::output::{self, JsonFile, Style};
use crate::probe;
use crate::program;
use crate::session::Session;
use crate::watch::{Settings, Watcher};

const INTERRUPTED: &str = "interrupted by a signal; no deadlock had been found";

/// Does it and says how to exit.
pub fn run(args: RunArgs) -> Result<Status, Error> {
    let deadlock = args.error_exitcode;
    Ok(execute(args)?.happened.status(deadlock))
}

/// How a run differs from one that a person asked for.
#[derive(Clone, Debug, Default)]
pub struct How {
    /// Variables for the program, besides.
    pub env: Vec<(OsString, OsString)>,
    /// Neither the program's output nor a diagnosis is shown.
    pub silent: bool,
    /// Where its standard input comes from.
    pub input: Input,
    /// Where it runs, if not here.
    pub directory: Option<PathBuf>,
    /// Where standard output goes instead.
    pub output: Option<PathBuf>,
}

/// Does it and says what came of it.
pub fn execute(args: RunArgs) -> Result<Outcome, Error> {
    execute_as(args, How::default())
}

/// The same, in another way.
pub fn execute_as(args: RunArgs, how: How) -> Result<Outcome, Error> {
    args.check()?;
    // A command for a deadlock reads the report from somewhere.
    let kept = match (&args.json, args.beside()) {
        (None, Some(_)) => Some(temporary()?),
        _ => None,
    };
    let path = args.json.as_deref().or(kept.as_deref());
    let json = path.map(JsonFile::prepare).transpose()?;
    let beside = args.beside().map(|words| {
        let words = words.0.iter().map(OsString::from);
        words.chain(path.map(OsString::from)).collect()
    });
    let command: Vec<String> = args
        .words
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let wishes = Wishes {
        ranks: args.ranks,
        launcher: args.launcher.as_ref(),
        python: args.python.as_deref(),
    };
    let (leaves, raises) = (args.leaves(), args.raises());
    let plan = launcher::plan(program::classify(args.words)?, wishes)?;
    let probe = probe::find()?;
    let (session, said) = Session::create(plan.ranks)?;
    if let Some(said) = said.filter(|_| !args.quiet) {
        output::remark(&said);
    }
    let mut watcher = watcher(Settings {
        session: session.path().to_owned(),
        window: Duration::from_millis(args.window),
        ends: !leaves && !raises,
        raises,
        rescue: args.rescue.is_some(),
    });
    let mut spec = spec(&plan, &session, &probe)?;
    spec.env.extend(how.env);
    spec.env
        .extend(args.rescue.map(|mode| mode.variable(args.rescue_memory)));
    if raises {
        let memory = args.rescue_memory.to_string();
        spec.env.push((RAISE_VAR.into(), memory.into()));
    }
    spec.silent = how.silent;
    spec.input = how.input;
    spec.directory = how.directory;
    spec.output = how.output.clone();
    let style = Style::for_stream(args.brief, args.color, &io::stderr());
    let mut unwritten = None;
    let complete = |report: &Report| complete(report, &command, &plan);
    let mut tell = |event: Event<'_>| {
        let (Event::Deadlock(report) | Event::Stalled(report) | Event::Timeout(report)) = event;
        let report = complete(report);
        if !how.silent {
            output::diagnosis(&report, style);
        }
        // Now, as nobody knows how this process will end.
        unwritten = json.as_ref().and_then(|json| json.write(&report).err());
    };
    let options = job::Options {
        timeout: args.timeout,
        no_kill: leaves,
        stall_exit: args.stall_exit,
        on_deadlock: beside,
        raises,
    };
    let mut outcome = job::run(&spec, options, &mut *watcher, &mut tell)?;
    outcome.report = complete(&outcome.report);
    let told = outcome.happened.deadlock || outcome.happened.stalled || outcome.happened.timeout;
    if outcome.interrupted && !told {
        // Who died of it says nothing.
        let killed = |finding: &Finding| finding.kind == FindingKind::Crash;
        outcome.report.findings.retain(|finding| !killed(finding));
        outcome.report.notes.push(INTERRUPTED.into());
    }
    let failed = outcome.happened.job.is_some_and(|exit| !exit.success());
    // With several ranks in one world, the launcher did its work.
    if failed && !told && !outcome.interrupted && outcome.report.ranks <= 1 {
        let mismatch = launcher::typed_mismatch(&plan.words);
        outcome.report.notes.extend(mismatch);
    }
    let report = &outcome.report;
    outcome.happened.warned = args.strict
        && report
            .findings
            .iter()
            .any(|f| f.severity == Severity::Warning);
    if !told && !args.quiet {
        if outcome.interrupted {
            output::remark(INTERRUPTED);
            // Why none was found, perhaps.
            for note in report.notes.iter().filter(|note| *note != INTERRUPTED) {
                output::remark(note);
            }
        } else if report.ranks == 0 && report.findings.is_empty() {
            output::remark("no process of this job completed MPI_Init, so nothing was watched");
            for note in &report.notes {
                output::remark(note);
            }
        } else {
            output::diagnosis(report, style);
        }
    }
    if let Some(json) = &json {
        unwritten = json.write(report).err();
    }
    if happened_hang(&outcome) && !how.silent && !args.brief && !args.quiet {
        say_hint(report, args.ranks, &command);
    }
    match unwritten {
        None => Ok(outcome),
        Some(error) => Err(error),
    }
}

/// A file for the report, removed with the value.
fn temporary() -> Result<tempfile::TempPath, Error> {
    let file = tempfile::Builder::new()
        .prefix("standoff-report-")
        .suffix(".json")
        .tempfile();
    let what = "cannot make a temporary file for the report";
    file.map(tempfile::NamedTempFile::into_temp_path)
        .map_err(|source| Error::System { what, source })
}

fn happened_hang(outcome: &Outcome) -> bool {
    outcome.happened.deadlock || outcome.happened.stalled
}

/// Says that a patch may be at hand, if one is.
pub fn say_hint(report: &Report, ranks: Option<u32>, command: &[String]) {
    if let Some(hint) = hint::hint(report, ranks, command) {
        output::remark(&hint);
    }
}

/// What watches.
fn watcher(settings: Settings) -> Box<dyn Watcher> {
    Box::new(Monitor::new(settings))
}

fn spec(plan: &Plan, session: &Session, probe: &std::path::Path) -> Result<job::Spec, Error> {
    let planned = plan
        .env
        .iter()
        .map(|&(name, value)| (name, OsString::from(value)));
    let env = planned.chain(session.environment(probe)?);
    Ok(job::Spec {
        words: plan.words.clone(),
        env: env.map(|(name, value)| (name.into(), value)).collect(),
        marker: session.marker(),
        launcher: plan
            .words
            .first()
            .is_some_and(|word| program::is_launcher(word)),
        ..job::Spec::default()
    })
}

/// The directory at which relative names of source files in a report start.
pub fn here() -> Option<String> {
    let here = std::env::current_dir().ok()?;
    Some(here.to_string_lossy().into_owned())
}

/// Adds what the watcher does not know.
fn complete(report: &Report, command: &[String], plan: &Plan) -> Report {
    let mut report = report.clone();
    report.standoff = Some(env!("CARGO_PKG_VERSION").into());
    if report.command.is_empty() {
        report.command = command.to_vec();
    }
    report.directory = here();
    if let (None, Some(library)) = (&report.mpi, &plan.library) {
        report.mpi = Some(MpiInfo {
            library: library
                .version
                .clone()
                .unwrap_or_else(|| library.path.display().to_string()),
            abi: library.abi,
        });
    }
    report
}
