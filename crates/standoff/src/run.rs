//! `standoff run`.

use std::ffi::OsString;
use std::io;
use std::time::Duration;

use standoff_report::{Finding, FindingKind, MpiInfo, Report, Severity};

use crate::cli::RunArgs;
use crate::error::Error;
use crate::exit::Status;
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
}

/// Does it and says what came of it.
pub fn execute(args: RunArgs) -> Result<Outcome, Error> {
    execute_as(args, How::default())
}

/// The same, in another way.
pub fn execute_as(args: RunArgs, how: How) -> Result<Outcome, Error> {
    args.check()?;
    let json = args.json.as_deref().map(JsonFile::prepare).transpose()?;
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
    let plan = launcher::plan(program::classify(args.words)?, wishes)?;
    let probe = probe::find()?;
    let (session, said) = Session::create(plan.ranks)?;
    if let Some(said) = said.filter(|_| !args.quiet) {
        output::remark(&said);
    }
    let mut watcher = watcher(Settings {
        session: session.path().to_owned(),
        window: Duration::from_millis(args.window),
        ends: !args.no_kill,
    });
    let mut spec = spec(&plan, &session, &probe)?;
    spec.env.extend(how.env);
    spec.silent = how.silent;
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
        no_kill: args.no_kill,
        stall_exit: args.stall_exit,
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
    let report = &outcome.report;
    outcome.happened.warned = args.strict
        && report
            .findings
            .iter()
            .any(|f| f.severity == Severity::Warning);
    if !told && !args.quiet {
        if outcome.interrupted {
            output::remark(INTERRUPTED);
        } else if report.ranks == 0 && report.findings.is_empty() {
            output::remark("no process of this job completed MPI_Init, so nothing was watched");
        } else {
            output::diagnosis(report, style);
        }
    }
    if let Some(json) = &json {
        unwritten = json.write(report).err();
    }
    match unwritten {
        None => Ok(outcome),
        Some(error) => Err(error),
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
        tied: false,
        silent: false,
        launcher: plan
            .words
            .first()
            .is_some_and(|word| program::is_launcher(word)),
    })
}

/// Adds what the watcher does not know.
fn complete(report: &Report, command: &[String], plan: &Plan) -> Report {
    let mut report = report.clone();
    report.standoff = Some(env!("CARGO_PKG_VERSION").into());
    if report.command.is_empty() {
        report.command = command.to_vec();
    }
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
