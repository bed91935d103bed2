//! `standoff check`: one ordinary run, recorded; then every other execution that MPI allows, searched; what is found, forced on the real
//! program.
//!
//! [`recording`] keeps and reads what the ranks record, [`find`] makes findings of the search's witnesses (`steps`, `words`, `lines`), `mismatch` those that are wrong without hanging, [`plan`]
//! knows which choices lead to them, and [`force`] tells the ranks. The search itself is the crate `standoff-check`.

pub mod find;
pub mod force;
mod lines;
mod mismatch;
pub mod plan;
pub mod recording;
pub mod scratch;
mod steps;
#[cfg(test)]
mod witness_tests;
mod words;

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
use standoff_check::{
    Alternative, Bound, Model, Options, Outcome as Told, Scope as Searched, Verdict as Found,
};
use standoff_report::{AgentEntry, Finding, FindingKind, Op, Report, Scope, Severity, Verdict};

use crate::cli::{CheckArgs, ReplayArgs, RunArgs};
use crate::error::Error;
use crate::exit::Status;
use crate::input::{Input, Kept, Whole};
use crate::job::Outcome;
use crate::output::{self, JsonFile, Style};
use crate::run::{self, How};

use self::force::{Choices, Forcing, Witness};
use self::lines::Lines;
use self::plan::Plan;
use self::recording::{Execution, Recording};
use self::scratch::{Directory, Scratch};

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
    let outcome = examine(&args, &How::default())?;
    let told = told(&outcome);
    let nothing = quiet && outcome.report.verdict == Verdict::Clean;
    if !(told || nothing) {
        output::diagnosis(&outcome.report, style);
    }
    let hangs = Verdict::PotentialDeadlock == outcome.report.verdict || told;
    if hangs && !quiet && !args.run.brief {
        run::say_hint(&outcome.report, args.run.ranks, &outcome.report.command);
    }
    if let Some(json) = json {
        json.write(&outcome.report)?;
    }
    Ok(outcome.happened.status(deadlock))
}

/// Something was found while the program ran, and shown then, unless the run was silent.
fn told(outcome: &Outcome) -> bool {
    let happened = &outcome.happened;
    happened.deadlock || happened.stalled || happened.timeout
}

/// Runs, records and searches, in this way. What is found after the recorded run is not shown.
pub fn examine(args: &CheckArgs, how: &How) -> Result<Outcome, Error> {
    let recording = Recording::new()?;
    let scratch = args.scratch.then(Scratch::new).transpose()?;
    let input = Kept::new(recording.path().join("input"));
    let started = Instant::now();
    let first = RunArgs {
        json: None,
        quiet: true,
        stall_exit: true,
        no_kill: false,
        on_deadlock: None,
        ..args.run.clone()
    };
    let mut recorded = how.clone();
    recorded.env.extend(recording.env());
    // A silent check is one of several, none of which is meant by our input: theirs is empty.
    recorded.input = match how.silent {
        true => Input::Again(Arc::clone(&input)),
        false => Input::Kept(Arc::clone(&input)),
    };
    let mut outcome = run::execute_as(first, recorded)?;
    let told = told(&outcome);
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
            args,
            how,
            library: library(&outcome.report),
            took: started.elapsed(),
            begun: Instant::now(),
            runs: 0,
            scratch,
            input,
        };
        checker.conclude(&recording, &mut outcome.report);
        outcome.happened.warned = outcome.report.verdict == Verdict::PotentialDeadlock
            || args.run.strict && warned(&outcome.report);
    }
    outcome.interrupted |= stopped();
    Ok(outcome)
}

fn warned(report: &Report) -> bool {
    let mut findings = report.findings.iter();
    findings.any(|f| f.severity == Severity::Warning)
}

/// `standoff replay`: forces a witness again.
pub fn replay(args: ReplayArgs) -> Result<Status, Error> {
    let witness = Witness::read(&args.witness)?;
    let recording = Recording::new()?;
    let forced = Forcing::write(&recording, &witness.choices)?;
    let how = How {
        env: forced.env(&recording),
        ..How::default()
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
    open: Vec<(Rc<Execution>, Alternative)>,
    bounds: BTreeSet<String>,
    nondeterministic: bool,
}

struct Checker<'a> {
    args: &'a CheckArgs,
    /// The MPI's name.
    library: &'static str,
    /// How the recorded run was made.
    how: &'a How,
    /// The recorded run.
    took: Duration,
    begun: Instant,
    runs: u32,
    scratch: Option<Scratch>,
    /// Of the recorded run.
    input: Arc<Kept>,
}

impl Checker<'_> {
    /// Searches the recorded execution and those that it leads to, and puts what is found into the report.
    fn conclude(&mut self, recording: &Recording, report: &mut Report) {
        let mut explored = Explored::default();
        let mut next = Some(recording.execution());
        while let Some(read) = next.take() {
            match read {
                Ok(execution) => {
                    // Of the recorded run only: that is what the user saw.
                    if explored.seen.is_empty() {
                        report.findings.extend(mismatch::findings(&execution));
                    }
                    if let Some(mut finding) = self.search(&Rc::new(execution), &mut explored) {
                        words::nobody_receives(&mut finding, &report.findings);
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
                "{n} other outcome{} not run ({})",
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
    fn search(&mut self, execution: &Rc<Execution>, explored: &mut Explored) -> Option<Finding> {
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
            let open = nondeterministic || model.asks();
            explored.nondeterministic |= open;
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
                    let plan = plan::of_witness(&execution.trace, &witness);
                    let certain = witness.diverges.is_empty();
                    self.confirm(&plan, certain, &mut finding);
                    if let Some(send) = find::waiting_send(execution, &witness)
                        && (certain || finding.confirmed)
                    {
                        self.measure(send, &mut finding);
                    }
                    if certain || finding.confirmed {
                        let schedule = find::schedule(execution, &witness);
                        finding.witness = self.put(schedule, plan.choices);
                        return Some(finding);
                    }
                }
            }
            if !alternatives.is_empty() {
                // Other answers to polls last, whose number has no end.
                let (polls, others): (Vec<_>, Vec<_>) = alternatives
                    .into_iter()
                    .map(|a| (Rc::clone(execution), a))
                    .partition(|(_, a)| matches!(a.outcome, Told::Found(_)));
                explored.open.splice(0..0, polls.into_iter().rev());
                explored.open.extend(others);
            }
            if certain && !nondeterministic {
                break;
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
            let alternatives = match options.certain && (model.nondeterministic() || model.asks()) {
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
    fn confirm(&mut self, plan: &Plan, certain: bool, finding: &mut Finding) {
        const ASSUMES: &str = " This assumes that the ranks make the same calls when they receive another message first.";
        if self.args.no_rerun {
            finding.explanation += if certain { "" } else { ASSUMES };
            finding.explanation += " It was not forced on the program (--no-rerun).";
            return;
        }
        let Some(Forced { outcome, .. }) = self.force(&plan.choices) else {
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
            // Proven as soon as a part of the predicted ranks hold each other: the others may be on their way yet.
            let mut predicted = finding.core.iter().chain(&finding.victims);
            // Who left must be one that leaves in the witness, too: one that failed because of the forced run proves nothing.
            let ended = |e: &AgentEntry| e.op == Some(Op::Ended);
            let foreseen = |seen: &AgentEntry| {
                let alike = |e: &AgentEntry| match ended(seen) {
                    true => ended(e) && e.rank == seen.rank,
                    false => same(e, seen),
                };
                predicted.clone().any(alike)
            };
            f.core.iter().all(foreseen) && predicted.any(|e| f.core.iter().any(|s| same(e, s)))
        });
        match live {
            Some(live) => {
                finding.confirmed = true;
                finding.explanation += " Forced there, the program hung.";
                find::take_stacks(finding, live);
            }
            None => {
                finding.explanation += " It could not be forced on the program: ";
                finding.explanation += &match plan.left.is_empty() {
                    true => {
                        "it made other calls there, or this MPI cannot be brought to it".to_owned()
                    }
                    false => plan.left.iter().cloned().collect::<Vec<_>>().join("; "),
                };
                finding.explanation += ".";
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
        if outcome.is_none_or(|(o, _)| o.report.verdict != Verdict::Clean) {
            return;
        }
        let text = std::fs::read_to_string(recording.path().join("eager"));
        if let Some(limit) = text.ok().and_then(|t| t.trim().parse::<u64>().ok()) {
            finding.explanation += &format!(
                " It passed because {} fit what {} buffers here; above about {} it will hang (measured from rank {from} to rank {to}).",
                bytes_in_words(bytes),
                self.library,
                bytes_in_words(limit),
            );
        }
    }

    /// Puts a witness on file, and says where. A silent check is somebody else's: it leaves nothing behind.
    fn put(&self, schedule: Vec<String>, choices: Choices) -> Option<String> {
        if self.how.silent {
            return None;
        }
        let words = self.args.run.words.iter();
        let witness = Witness {
            command: words.map(|w| w.to_string_lossy().into_owned()).collect(),
            schedule,
            choices,
        };
        match witness.write() {
            Ok(path) => Some(path.display().to_string()),
            Err(error) => {
                output::remark(&error.to_string());
                None
            }
        }
    }

    /// Runs the program under force, recorded; `None`: the budget is spent.
    fn force(&mut self, choices: &Choices) -> Option<Forced> {
        let recording = Recording::new().ok()?;
        let forced = Forcing::write(&recording, choices).ok()?;
        let (outcome, directory) = self.run_as(forced.env(&recording))?;
        Some(Forced {
            outcome,
            recording,
            directory,
        })
    }

    /// Runs the program again, silently; `None`: the budget is spent.
    fn run_as(&mut self, env: Vec<(OsString, OsString)>) -> Option<(Outcome, Option<Directory>)> {
        let budget = self.args.budget.unwrap_or_default();
        if stopped() || self.runs >= budget.runs || self.begun.elapsed() >= budget.time {
            return None;
        }
        if self.runs == 0 && !self.args.run.quiet {
            output::remark(&format!(
                "check runs the program again, forced into other executions; its output is not shown{}",
                match self.input.whole() {
                    Whole::Yes => "",
                    Whole::Terminal => ", and its input, which was a terminal's, is empty",
                    Whole::TooMuch => ", and it gets only the beginning of its input",
                }
            ));
        }
        self.runs += 1;
        let args = RunArgs {
            json: None,
            quiet: true,
            stall_exit: true,
            no_kill: false,
            on_deadlock: None,
            timeout: Some((self.took * PATIENCE).max(LEAST)),
            ..self.args.run.clone()
        };
        let directory = self.scratch.as_ref().map(Scratch::directory);
        let directory = directory.transpose().ok()?;
        let how = How {
            env: self.how.env.iter().cloned().chain(env).collect(),
            silent: true,
            input: Input::Again(Arc::clone(&self.input)),
            directory: directory.as_ref().map(|d| d.path().to_owned()),
            output: None,
        };
        let mut outcome = run::execute_as(args, how).ok()?;
        if let Some(directory) = &directory {
            directory.at_home(&mut outcome.report);
        }
        if outcome.interrupted {
            STOP.store(true, Ordering::Relaxed);
            return None;
        }
        Some((outcome, directory))
    }

    /// Forces the next execution that was not looked at yet.
    fn explore(&mut self, explored: &mut Explored) -> Explore {
        if self.args.no_rerun {
            return Explore::Nothing;
        }
        while let Some((before, alternative)) = explored.open.pop() {
            if stopped() {
                explored.open.push((before, alternative));
                break;
            }
            let choices = plan::prefix(&before.trace, &alternative);
            if !explored.forced.insert(force::identity(&choices)) {
                continue;
            }
            let Some(forced) = self.force(&choices) else {
                explored.forced.remove(&force::identity(&choices));
                explored.open.push((before, alternative));
                break;
            };
            let Forced {
                outcome,
                recording,
                directory,
            } = forced;
            if outcome.report.verdict == Verdict::Clean {
                let mut execution = recording.execution();
                if let (Ok(execution), Some(directory)) = (&mut execution, &directory) {
                    directory.recorded_at_home(execution);
                }
                let there = |e: &Execution| force::reached(&e.trace, &choices);
                if execution.as_ref().is_ok_and(|e| !there(e)) {
                    explored
                        .bounds
                        .insert("an outcome that could not be brought about".to_owned());
                }
                return Explore::Execution(execution);
            }
            let mut live = outcome.report.findings.into_iter();
            if let Some(live) = live.find(|f| f.kind == FindingKind::Deadlock) {
                let mut finding = find::of_forced_run(live, alternative.outcome);
                words::of_outcome(&Lines::new(&before), &alternative, &mut finding);
                finding.witness = self.put(Vec::new(), choices);
                return Explore::Hangs(Box::new(finding));
            }
            explored
                .bounds
                .insert("a forced run did not come to its end".to_owned());
        }
        Explore::Nothing
    }
}

/// A run under force.
struct Forced {
    outcome: Outcome,
    recording: Recording,
    directory: Option<Directory>,
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

/// The MPI's name for a sentence.
fn library(report: &Report) -> &'static str {
    let said = report.mpi.as_ref().map_or("", |mpi| mpi.library.as_str());
    let known = ["Open MPI", "Intel(R) MPI", "MVAPICH", "MPICH"];
    let name = known.into_iter().find(|name| said.contains(name));
    name.unwrap_or("this MPI")
}

/// `1 byte`, `4,096 bytes`.
pub(crate) fn bytes_in_words(bytes: u64) -> String {
    let digits = bytes.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out + if bytes == 1 { " byte" } else { " bytes" }
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
                Bound::Buffer { rank, room } => write!(
                    f,
                    "rank {rank} may have more in its attached buffer than its {room} bytes (MPI makes that an error, no wait)"
                ),
                Bound::Procedure { name } if name.starts_with("MPI_") => {
                    write!(f, "{name} is not modelled")
                }
                Bound::Procedure { name } => f.write_str(name),
                Bound::Collectives { name } => write!(f, "who may leave {name} early is not known"),
                Bound::NeverCompleted { rank } => write!(
                    f,
                    "what a wildcard receive of rank {rank} took is not known: nobody waited for it"
                ),
                Bound::Follows | Bound::OtherOutcomes => f.write_str("other outcomes of wildcards"),
            }
        }
    }
    Said(bound).to_string()
}
