//! `standoff check`: one ordinary run, recorded; then every other execution that MPI allows, searched; what is found, forced on the real
//! program.
//!
//! [`recording`] keeps and reads what the ranks record, [`find`] makes findings of the search's witnesses, [`force`] says to the ranks what to
//! do in a forced run. The search itself is the crate `standoff-check`.

pub mod find;
pub mod force;
pub mod recording;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use standoff_board::layout::MEASURE_VAR;
use standoff_check::{Alternative, Bound, Model, Options, Scope as Searched, Verdict as Found};
use standoff_report::{AgentEntry, Finding, FindingKind, Report, Scope, Severity, Verdict};
use standoff_trace::Trace;

use crate::cli::{CheckArgs, ReplayArgs, RunArgs};
use crate::error::Error;
use crate::exit::Status;
use crate::output::{self, JsonFile, Style};
use crate::run::{self, How};

use self::force::{Forced, Witness};
use self::recording::{Execution, Recording};

/// How long a forced run may take beyond the recorded one, times its length.
const PATIENCE: u32 = 4;
/// And at least.
const LEAST: Duration = Duration::from_secs(10);

/// How often a search is asked whether it is done.
const LOOK: Duration = Duration::from_millis(20);

/// A signal came that asks to end, after the recorded run.
static STOP: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

fn stopped() -> bool {
    STOP.load(Ordering::Relaxed)
}

/// How many runs and how much time to spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Forced runs at most.
    pub runs: u32,
    /// Time for them.
    pub time: Duration,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget {
            runs: 30,
            time: Duration::from_secs(120),
        }
    }
}

/// Does it and says how to exit.
pub fn check(args: CheckArgs) -> Result<Status, Error> {
    let json = args
        .run
        .json
        .as_deref()
        .map(JsonFile::prepare)
        .transpose()?;
    let deadlock = args.run.error_exitcode;
    let style = Style::for_stream(args.run.brief, args.run.color, &io::stderr());
    let quiet = args.run.quiet;
    let recording = Recording::new()?;
    let started = Instant::now();
    let first = RunArgs {
        json: None,
        quiet: true,
        stall_exit: true,
        no_kill: false,
        ..args.run.clone()
    };
    let how = How {
        env: recording.env(),
        silent: false,
    };
    let mut outcome = run::execute_as(first, how)?;
    let told = outcome.happened.deadlock || outcome.happened.stalled || outcome.happened.timeout;
    let passed = outcome.report.verdict == Verdict::Clean && !told && !outcome.interrupted;
    if passed {
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let asked = signal_hook::flag::register(signal, Arc::clone(&STOP));
            asked.map_err(|source| Error::System {
                what: "catch signals",
                source,
            })?;
        }
        let mut checker = Checker {
            args: &args,
            took: started.elapsed(),
            begun: Instant::now(),
            runs: 0,
        };
        checker.conclude(&recording, &mut outcome.report);
        outcome.happened.warned = outcome.report.verdict == Verdict::PotentialDeadlock
            || args.run.strict && warned(&outcome.report);
    }
    let nothing = quiet && outcome.report.verdict == Verdict::Clean;
    if !(told || nothing) {
        output::diagnosis(&outcome.report, style);
    }
    if let Some(json) = json {
        json.write(&outcome.report)?;
    }
    Ok(outcome.happened.status(deadlock))
}

fn warned(report: &Report) -> bool {
    let mut findings = report.findings.iter();
    findings.any(|f| f.severity == Severity::Warning)
}

/// `standoff replay`: forces a witness again.
pub fn replay(args: ReplayArgs) -> Result<Status, Error> {
    let witness = Witness::read(&args.witness)?;
    let recording = Recording::new()?;
    let forced = Forced::write(&recording, &witness.ranks)?;
    let how = How {
        env: forced.env(&recording),
        silent: false,
    };
    let deadlock = args.run.error_exitcode;
    let outcome = run::execute_as(args.run, how)?;
    if !outcome.happened.deadlock {
        output::remark(
            "the witness did not lead to its deadlock: the program made other calls, or this MPI cannot be brought there",
        );
    }
    Ok(outcome.happened.status(deadlock))
}

/// What the searches of all executions so far came to.
#[derive(Default)]
struct Explored {
    /// Executions that were looked at, by what their ranks were told.
    seen: BTreeSet<u64>,
    /// Choices that were forced.
    forced: BTreeSet<u64>,
    /// To be forced: outcomes, each of an execution.
    open: Vec<(Rc<Trace>, Alternative)>,
    bounds: BTreeSet<String>,
    nondeterministic: bool,
}

struct Checker<'a> {
    args: &'a CheckArgs,
    /// The recorded run.
    took: Duration,
    begun: Instant,
    runs: u32,
}

impl Checker<'_> {
    /// Searches the recorded execution and those that it leads to, and puts what is found into the report.
    fn conclude(&mut self, recording: &Recording, report: &mut Report) {
        let mut explored = Explored::default();
        let mut next = Some(recording.execution());
        while let Some(read) = next.take() {
            match read {
                Ok(execution) => {
                    if let Some(finding) = self.search(&execution, &mut explored) {
                        report.verdict = Verdict::PotentialDeadlock;
                        report.findings.insert(0, finding);
                        break;
                    }
                }
                Err(why) => drop(explored.bounds.insert(why)),
            }
            next = match self.explore(&mut explored) {
                Explore::Nothing => None,
                Explore::Execution(read) => Some(read),
                Explore::Hangs(finding) => {
                    report.verdict = Verdict::PotentialDeadlock;
                    report.findings.insert(0, *finding);
                    None
                }
            };
        }
        if !explored.open.is_empty() && report.verdict == Verdict::Clean {
            let n = explored.open.len();
            explored.bounds.insert(format!(
                "{n} other outcome{} of wildcards not run ({})",
                if n == 1 { "" } else { "s" },
                if self.args.no_rerun {
                    "--no-rerun"
                } else {
                    "--budget"
                },
            ));
        }
        if report.verdict == Verdict::PotentialDeadlock {
            explored
                .bounds
                .insert("the search ended with what it found".to_owned());
        }
        report.scope = if explored.bounds.is_empty() {
            Scope::AllExecutions
        } else {
            Scope::Bounded
        };
        if report.scope == Scope::Bounded {
            let list: Vec<String> = explored.bounds.into_iter().collect();
            report.bound = Some(list.join("; "));
        }
        if explored.nondeterministic && report.verdict == Verdict::Clean {
            report.notes.push(format!(
                "different executions looked at: {}; further runs of the program: {}",
                explored.seen.len(),
                self.runs
            ));
        }
    }

    /// Searches one execution. A finding ends the check.
    ///
    /// First with what the wildcards were told: a witness of that rests on nothing but MPI. Then with other outcomes, after which the program may make
    /// other calls: a witness of that counts only if the program, forced there, hangs.
    fn search(&mut self, execution: &Execution, explored: &mut Explored) -> Option<Finding> {
        if !explored.seen.insert(execution.identity()) {
            return None;
        }
        explored.bounds.extend(execution.bounds.iter().cloned());
        for certain in [true, false] {
            let options = Options {
                certain,
                ..Options::default()
            };
            let model = match Model::new(&execution.trace, &options) {
                Ok(model) => model,
                Err(error) => {
                    explored.bounds.insert(error.to_string());
                    return None;
                }
            };
            let nondeterministic = model.nondeterministic();
            explored.nondeterministic |= nondeterministic;
            let (found, alternatives) = match self.searched(model, options) {
                Ok(found) => found,
                Err(why) => {
                    explored.bounds.insert(why.to_owned());
                    return None;
                }
            };
            match found {
                Found::Clean(Searched::Bounded(bounds)) if certain => {
                    let told = |b: &&Bound| !matches!(b, Bound::Follows | Bound::OtherOutcomes);
                    let told = bounds.iter().filter(told).map(bound);
                    explored.bounds.extend(told);
                }
                Found::Clean(_) => {}
                Found::Deadlock(witness) => {
                    let mut finding = find::finding(execution, &witness);
                    let forced = force::of_witness(&execution.trace, &witness);
                    let certain = witness.diverges.is_empty();
                    self.confirm(&forced, certain, &mut finding);
                    if let Some(send) = find::waiting_send(execution, &witness)
                        && (certain || finding.confirmed)
                    {
                        self.measure(send, &mut finding);
                    }
                    if certain || finding.confirmed {
                        finding.witness = self.put(finding.schedule.clone(), forced);
                        return Some(finding);
                    }
                }
            }
            if certain && !nondeterministic {
                break;
            }
            if !alternatives.is_empty() {
                let trace = Rc::new(execution.trace.clone());
                let open = alternatives.into_iter();
                explored.open.extend(open.map(|a| (Rc::clone(&trace), a)));
            }
        }
        None
    }

    /// The search, on a thread of its own: who asks may be interrupted, or have no more time.
    fn searched(
        &self,
        model: Model,
        options: Options,
    ) -> Result<(Found, Vec<Alternative>), &'static str> {
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let found = model.search(&options).0;
            let alternatives = match options.certain && model.nondeterministic() {
                true => model.alternatives(),
                false => Vec::new(),
            };
            // Nobody may be waiting any more.
            let _ = sender.send((found, alternatives));
        });
        let limit = self.args.budget.unwrap_or_default().time;
        loop {
            match receiver.recv_timeout(LOOK) {
                Ok(found) => return Ok(found),
                Err(RecvTimeoutError::Disconnected) => return Err("the search failed"),
                Err(RecvTimeoutError::Timeout) if stopped() => return Err("interrupted"),
                Err(RecvTimeoutError::Timeout) if self.begun.elapsed() > limit => {
                    return Err("the time of --budget was spent in the search");
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Forces the choices of a witness on the program, and says in the finding what came of it.
    fn confirm(&mut self, ranks: &[force::Rank], certain: bool, finding: &mut Finding) {
        const ASSUMES: &str = " This assumes that the ranks make the same calls when they receive another message first.";
        if self.args.no_rerun {
            finding.explanation += if certain { "" } else { ASSUMES };
            finding.explanation += " It was not forced on the program (--no-rerun).";
            return;
        }
        let Some(outcome) = self.force(ranks) else {
            finding.explanation += if certain { "" } else { ASSUMES };
            finding.explanation += " The budget did not suffice to force it on the program.";
            return;
        };
        let live = outcome.report.findings.iter();
        let live = live.filter(|f| f.kind == FindingKind::Deadlock).find(|f| {
            let place = |e: &AgentEntry| e.stack.first().map(|f| (f.file.clone(), f.line));
            let same = |a: &AgentEntry, b: &AgentEntry| {
                a.rank == b.rank
                    && (place(a) == place(b) || a.stack.is_empty() || b.stack.is_empty())
            };
            let hangs = |e: &AgentEntry| f.core.iter().chain(&f.victims).any(|seen| same(e, seen));
            finding.core.iter().all(hangs)
        });
        match live {
            Some(live) => {
                finding.confirmed = true;
                finding.explanation += " Forced there, the program hung.";
                find::take_stacks(finding, live);
            }
            None => {
                finding.explanation += " It could not be forced on the program: it made other calls there, or this MPI cannot be \
                                        brought to it.";
            }
        }
    }

    /// Says up to which size this MPI buffers such a send, as measured in a run of its own.
    fn measure(&mut self, (from, to, bytes): (u32, u32, u64), finding: &mut Finding) {
        if self.args.no_rerun {
            return;
        }
        let Ok(recording) = Recording::new() else {
            return;
        };
        let asked = [(MEASURE_VAR.into(), format!("{from} {to}").into())];
        let outcome = self.run_as(recording.env().into_iter().chain(asked).collect());
        if outcome.is_none_or(|o| o.report.verdict != Verdict::Clean) {
            return;
        }
        let text = std::fs::read_to_string(recording.path().join("eager"));
        if let Some(limit) = text.ok().and_then(|t| t.trim().parse::<u64>().ok()) {
            finding.explanation += &format!(
                " Measured here, this MPI buffers sends of up to {limit} bytes from rank {from} to rank {to} ({bytes} in the recorded run); with \
                 larger ones the program hangs."
            );
        }
    }

    /// Puts a witness on file, and says where.
    fn put(&self, schedule: Vec<String>, ranks: Vec<force::Rank>) -> Option<String> {
        let words = self.args.run.words.iter();
        let witness = Witness {
            command: words.map(|w| w.to_string_lossy().into_owned()).collect(),
            schedule,
            ranks,
        };
        match witness.write() {
            Ok(path) => Some(path.display().to_string()),
            Err(error) => {
                output::remark(&error.to_string());
                None
            }
        }
    }

    /// Runs the program under force; `None`: the budget is spent.
    fn force(&mut self, ranks: &[force::Rank]) -> Option<crate::job::Outcome> {
        let recording = Recording::new().ok()?;
        self.forced_run(ranks, &recording)
    }

    fn forced_run(
        &mut self,
        ranks: &[force::Rank],
        recording: &Recording,
    ) -> Option<crate::job::Outcome> {
        let forced = Forced::write(recording, ranks).ok()?;
        self.run_as(forced.env(recording))
    }

    /// Runs the program again, silently; `None`: the budget is spent.
    fn run_as(&mut self, env: Vec<(OsString, OsString)>) -> Option<crate::job::Outcome> {
        let budget = self.args.budget.unwrap_or_default();
        if stopped() || self.runs >= budget.runs || self.begun.elapsed() >= budget.time {
            return None;
        }
        if self.runs == 0 && !self.args.run.quiet {
            output::remark(
                "check runs the program again, forced into other executions; its output is not shown",
            );
        }
        self.runs += 1;
        let args = RunArgs {
            json: None,
            quiet: true,
            stall_exit: true,
            no_kill: false,
            timeout: Some((self.took * PATIENCE).max(LEAST)),
            ..self.args.run.clone()
        };
        let outcome = run::execute_as(args, How { env, silent: true }).ok()?;
        if outcome.interrupted {
            STOP.store(true, Ordering::Relaxed);
            return None;
        }
        Some(outcome)
    }

    /// Forces the next execution that was not looked at yet.
    fn explore(&mut self, explored: &mut Explored) -> Explore {
        if self.args.no_rerun {
            return Explore::Nothing;
        }
        while let Some((trace, alternative)) = explored.open.pop() {
            if stopped() {
                explored.open.push((trace, alternative));
                break;
            }
            let ranks = force::prefix(&trace, &alternative);
            if !explored.forced.insert(force::identity(&ranks)) {
                continue;
            }
            let Ok(recording) = Recording::new() else {
                break;
            };
            let Some(outcome) = self.forced_run(&ranks, &recording) else {
                explored.forced.remove(&force::identity(&ranks));
                explored.open.push((trace, alternative));
                break;
            };
            if outcome.report.verdict == Verdict::Clean {
                let execution = recording.execution();
                let there = |e: &Execution| force::reached(&e.trace, &ranks);
                if execution.as_ref().is_ok_and(|e| !there(e)) {
                    explored.bounds.insert(
                        "an outcome of a wildcard that could not be brought about".to_owned(),
                    );
                }
                return Explore::Execution(execution);
            }
            let mut live = outcome.report.findings.into_iter();
            if let Some(live) = live.find(|f| f.kind == FindingKind::Deadlock) {
                let mut finding = find::of_forced_run(live);
                finding.witness = self.put(Vec::new(), ranks);
                return Explore::Hangs(Box::new(finding));
            }
            explored
                .bounds
                .insert("a forced run did not come to its end".to_owned());
        }
        Explore::Nothing
    }
}

/// What a further run came to.
enum Explore {
    /// There is none, or the budget is spent.
    Nothing,
    /// It passed: what it recorded.
    Execution(Result<Execution, String>),
    /// It hung.
    Hangs(Box<Finding>),
}

/// Why something was left out, in words.
fn bound(bound: &Bound) -> String {
    struct Said<'a>(&'a Bound);
    impl fmt::Display for Said<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self.0 {
                Bound::States { visited } => write!(f, "the search ended after {visited} states"),
                Bound::Polls => f.write_str("other answers of MPI_Test, MPI_Iprobe and their kind"),
                Bound::Threads { rank } => write!(f, "several threads of rank {rank} call MPI"),
                Bound::EndsEarly { rank } => write!(f, "rank {rank} did not come to MPI_Finalize"),
                Bound::Procedure { name } if name.starts_with("MPI_") => {
                    write!(f, "{name} is not modelled")
                }
                Bound::Procedure { name } => f.write_str(name),
                Bound::Collectives { name } => write!(f, "who may leave {name} early is not known"),
                Bound::Follows | Bound::OtherOutcomes => f.write_str("other outcomes of wildcards"),
            }
        }
    }
    Said(bound).to_string()
}
