//! Starts the job, waits for whatever comes first, and ends the job if it must.
//!
//! The child stays in this process group and on this terminal with its streams untouched, so that it behaves as it
//! would alone: a Ctrl-C reaches it from the terminal, and what is sent to standoff alone is passed on. Orphans of the
//! job come to this process (it is their sub-reaper), so that none can hide when the job must end.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::process::{WaitOptions, wait};
use signal_hook::iterator::backend::SignalDelivery;
use signal_hook::iterator::exfiltrator::origin::WithOrigin;
use signal_hook::low_level::siginfo::Cause;
use standoff_report::Report;

use crate::error::Error;
use crate::exit::{Happened, JobExit};
use crate::input::Input;
use crate::interrupt;
use crate::launcher;
use crate::proc::{self, Process};
use crate::watch::{Tick, Watcher, Why};

/// How long the launcher has to end its ranks after SIGTERM.
const GRACE: Duration = Duration::from_secs(2);
/// How long ranks have that outlive their launcher.
const ORPHAN_GRACE: Duration = Duration::from_millis(200);

/// What to start.
#[derive(Clone, Debug, Default)]
pub struct Spec {
    /// The command, not empty.
    pub words: Vec<OsString>,
    /// Variables to add to the environment.
    pub env: Vec<(OsString, OsString)>,
    /// `NAME=value` that stands in the environment of every process of the job.
    pub marker: Vec<u8>,
    /// The child dies with this process.
    pub tied: bool,
    /// Its output goes nowhere.
    pub silent: bool,
    /// Where its standard input comes from.
    pub input: Input,
    /// Where it runs, if not here.
    pub directory: Option<PathBuf>,
    /// A file that takes its standard output.
    pub output: Option<PathBuf>,
    /// The command is a launcher. If a signal ends it, its ranks are ended too: nobody else will.
    pub launcher: bool,
}

/// Time between two looks at a command that runs beside the job; its end is a signal, too.
const BESIDE: Duration = Duration::from_millis(50);

/// When to end it.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// After this time in any case.
    pub timeout: Option<Duration>,
    /// Not even on a deadlock.
    pub no_kill: bool,
    /// Also when stalled.
    pub stall_exit: bool,
    /// What is run on a deadlock, before the job is ended.
    pub on_deadlock: Option<Vec<OsString>>,
    /// On a deadlock, the watcher has blocked calls return errors: the job goes on until it has ended or the watcher gives it up.
    pub raises: bool,
}

/// What is told while the job still runs.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A deadlock; the job is about to be ended, unless `no_kill`.
    Deadlock(&'a Report),
    /// A stall.
    Stalled(&'a Report),
    /// The time is up; the job is about to be ended.
    Timeout(&'a Report),
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// For the exit status.
    pub happened: Happened,
    /// The last word of the watcher.
    pub report: Report,
    /// A signal came that was to end it.
    pub interrupted: bool,
}

/// Runs a job under watch, until it has ended. `tell` hears of events before the job is ended because of them.
pub fn run(
    spec: &Spec,
    options: Options,
    watcher: &mut dyn Watcher,
    tell: &mut dyn FnMut(Event<'_>),
) -> Result<Outcome, Error> {
    let mut job = Job::start(spec)?;
    let started = Instant::now();
    let deadline = options.timeout.and_then(|limit| started.checked_add(limit));
    let mut happened = Happened::default();
    let mut found: Option<Report> = None;
    let mut stalled: Option<Report> = None;
    let mut next_look = Some(started);
    loop {
        job.turn();
        if job.exit.is_some() {
            happened.job = job.exit;
            break;
        }
        // Whoever interrupts a job gets what they would get without us, and no verdict on its last moments.
        if job.interrupted {
            next_look = None;
        }
        let now = Instant::now();
        if let Some(limit) = options
            .timeout
            .filter(|_| deadline.is_some_and(|d| now >= d))
        {
            happened.timeout = true;
            let report = stamped(watcher.snapshot(Why::Timeout(limit)), started);
            tell(Event::Timeout(&report));
            job.end();
            found.get_or_insert(report);
            break;
        }
        if next_look.is_some_and(|next| now >= next) {
            next_look = match watcher.tick() {
                Tick::Continue { next } => Instant::now().checked_add(next),
                Tick::Deadlock(report) => {
                    happened.deadlock = true;
                    let report = found.insert(stamped(*report, started));
                    tell(Event::Deadlock(report));
                    watcher.told();
                    if let Some(words) = &options.on_deadlock {
                        job.run_beside(words);
                    }
                    if options.raises {
                        Some(Instant::now())
                    } else if options.no_kill {
                        None
                    } else {
                        job.end();
                        break;
                    }
                }
                Tick::Over(why) => {
                    crate::output::remark(&why);
                    if let Some(report) = &mut found {
                        report.notes.push(why);
                    }
                    job.end();
                    break;
                }
                Tick::Interrupted(report) => {
                    if !options.no_kill {
                        found = Some(stamped(*report, started));
                        job.end_at_once();
                        // What a shell says of a program that Ctrl-C ended.
                        happened.job = Some(JobExit::Code(128 + Signal::SIGINT as i32));
                        job.interrupted = true;
                        break;
                    }
                    job.interrupted = true;
                    None
                }
                Tick::Stalled(report) => {
                    let report = stamped(*report, started);
                    tell(Event::Stalled(&report));
                    if options.stall_exit {
                        happened.stalled = true;
                        found = Some(report);
                        job.end();
                        break;
                    }
                    stalled = Some(report);
                    Some(Instant::now())
                }
            };
        }
        let until = [next_look, deadline].into_iter().flatten().min();
        job.wait(until.map(|until| until.saturating_duration_since(Instant::now())));
    }
    // Whoever ends a stalled job by hand has the stall for an answer.
    found = found.or(stalled.filter(|_| job.interrupted));
    let mut report = match (found, job.exit) {
        (Some(report), _) => report,
        (None, exit) => watcher.finish(exit.unwrap_or(JobExit::Code(0))),
    };
    if spec.launcher && matches!(job.exit, Some(JobExit::Signal(_))) {
        job.end_at_once();
    }
    match (happened.job, job.exit) {
        (Some(exit), _) => report.exit = exit.for_report(),
        (None, Some(exit)) => {
            report.exit = exit.for_report();
            report.exit.by_standoff = true;
        }
        (None, None) => {}
    }
    Ok(Outcome {
        happened,
        report: stamped(report, started),
        interrupted: job.interrupted,
    })
}

/// Adds how long it took, if that is not there yet.
fn stamped(mut report: Report, started: Instant) -> Report {
    let elapsed = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    report.elapsed_ms.get_or_insert(elapsed);
    report
}

/// A running job.
struct Job {
    child: Pid,
    marker: Vec<u8>,
    signals: SignalDelivery<UnixStream, WithOrigin>,
    /// How the child ended, once it has.
    exit: Option<JobExit>,
    /// The child did not end by itself and was sent SIGKILL.
    killed: bool,
    /// A signal came that ends programs.
    interrupted: bool,
}

impl Job {
    fn start(spec: &Spec) -> Result<Job, Error> {
        let system = |what| move |source: io::Error| Error::System { what, source };
        let signals = signals().map_err(system("cannot handle signals"))?;
        nix::sys::prctl::set_child_subreaper(true)
            .map_err(|e| system("cannot adopt orphans of the job")(e.into()))?;
        let mut command = Command::new(&spec.words[0]);
        if spec.silent {
            command.stdout(Stdio::null()).stderr(Stdio::null());
        }
        if let Some(path) = &spec.output {
            let file = File::create(path).map_err(system("cannot keep the program's output"))?;
            command.stdout(file);
        }
        command
            .args(&spec.words[1..])
            .envs(spec.env.iter().map(|(name, value)| (name, value)));
        if let Some(directory) = &spec.directory {
            command.current_dir(directory).env("PWD", directory);
        }
        let kept = spec.input.prepare(&mut command)?;
        if spec.tied {
            crate::sys::tie(&mut command);
        }
        let mut child = command.spawn().map_err(|source| Error::Spawn {
            program: spec.words[0].to_string_lossy().into_owned(),
            source,
        })?;
        let pid = Pid::from_raw(child.id() as i32);
        // From between two jobs; what comes from now on the handlers above tell.
        let asked = interrupt::asked();
        if let Some(signal) = asked.and_then(|signal| Signal::try_from(signal).ok()) {
            let _ = kill(pid, signal);
        }
        if let (Some(kept), Some(to)) = (kept, child.stdin.take()) {
            kept.pass_on(to);
        }
        Ok(Job {
            child: pid,
            marker: spec.marker.clone(),
            signals,
            exit: None,
            killed: false,
            interrupted: asked.is_some(),
        })
    }

    /// Runs a command of the user's to its end, or until somebody interrupts the job.
    fn run_beside(&mut self, words: &[OsString]) {
        let spawned = Command::new(&words[0])
            .args(&words[1..])
            .stdin(Stdio::null())
            .spawn();
        let mut child = match spawned {
            Ok(child) => child,
            Err(error) => {
                let program = words[0].to_string_lossy();
                crate::output::remark(&format!("--on-deadlock: cannot start {program}: {error}"));
                return;
            }
        };
        // An error: it has ended, and was reaped with the rest of the job.
        while matches!(child.try_wait(), Ok(None)) {
            if self.interrupted {
                let _ = child.kill();
            }
            self.wait(Some(BESIDE));
            self.turn();
        }
    }

    /// Sleeps until a signal comes (a child that ended sends one) or the time is over.
    fn wait(&self, time: Option<Duration>) {
        // Rounded up, so that the end of the time is not met by many empty turns.
        let time = time.map_or(PollTimeout::NONE, |time| {
            let millis = time.as_micros().div_ceil(1000);
            PollTimeout::try_from(i32::try_from(millis).unwrap_or(i32::MAX))
                .unwrap_or(PollTimeout::MAX)
        });
        // An error is an interruption by a signal, which is what is waited for.
        let _ = poll(
            &mut [PollFd::new(
                self.signals.get_read().as_fd(),
                PollFlags::POLLIN,
            )],
            time,
        );
    }

    /// Passes signals on and buries the dead.
    fn turn(&mut self) {
        let mut forward = Vec::new();
        for origin in self.signals.pending() {
            let Ok(signal) = Signal::try_from(origin.signal) else {
                continue;
            };
            if signal == Signal::SIGCHLD {
                continue;
            }
            self.interrupted |= !matches!(signal, Signal::SIGUSR1 | Signal::SIGUSR2);
            // Ctrl-C and Ctrl-\ come from the kernel for the whole group, the child too. A hangup comes to the leader of
            // the session alone, which standoff may be, and twice does no harm.
            let typed =
                matches!(signal, Signal::SIGINT | Signal::SIGQUIT) && origin.cause == Cause::Kernel;
            if !typed {
                forward.push(signal);
            }
        }
        self.reap();
        if self.exit.is_none() {
            for signal in forward {
                let _ = kill(self.child, signal);
            }
        }
    }

    fn reap(&mut self) {
        // Not nix's: it takes a child that died of a real-time signal for an error.
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            if pid.as_raw_nonzero().get() != self.child.as_raw() {
                continue;
            }
            if let Some(code) = status.exit_status() {
                self.exit = Some(JobExit::Code(code));
            } else if let Some(signal) = status.terminating_signal() {
                self.exit = Some(JobExit::Signal(signal));
                // At once: the number is free for another process from now on.
                if self.killed {
                    launcher::clear_after_kill(self.child.as_raw());
                }
            }
        }
    }

    /// Ends the job, or the ranks of a launcher that is no more, and remembers an interruption.
    fn end_at_once(&mut self) {
        let interrupted = self.interrupted;
        self.end();
        self.interrupted |= interrupted;
    }

    /// Ends the job: SIGTERM to the child, time to end its ranks, and SIGKILL to all that are left. A signal from the
    /// user meanwhile cuts the time short.
    fn end(&mut self) {
        let me = std::process::id() as i32;
        // Remembered from before, as a rank whose parents die may be adopted by someone else.
        let mut known: BTreeSet<Process> = proc::members(me, &self.marker).into_iter().collect();
        self.reap();
        if self.exit.is_none() {
            let _ = kill(self.child, Signal::SIGTERM);
            // A stopped process takes no other signal.
            let _ = kill(self.child, Signal::SIGCONT);
        }
        let begun = Instant::now();
        let mut orphaned_at = None;
        self.interrupted = false;
        loop {
            self.turn();
            known.retain(|process| process.alive());
            let now = Instant::now();
            if self.exit.is_some() {
                if known.is_empty() {
                    break;
                }
                orphaned_at.get_or_insert(now);
            }
            let late =
                orphaned_at.is_some_and(|then| now - then >= ORPHAN_GRACE) || now - begun >= GRACE;
            if late || self.interrupted {
                break;
            }
            self.wait(Some(Duration::from_millis(20)));
        }
        self.kill_all(known);
    }

    /// Kills until nobody is left: a process may have been born since the last look. Bounded, for one that sits in the
    /// kernel does not die.
    fn kill_all(&mut self, mut known: BTreeSet<Process>) {
        let me = std::process::id() as i32;
        for _ in 0..200 {
            known.extend(proc::members(me, &self.marker));
            known.retain(|process| process.alive());
            if known.is_empty() {
                break;
            }
            for process in &known {
                let pid = Pid::from_raw(process.pid);
                let sent = kill(pid, Signal::SIGKILL).is_ok();
                self.killed |= sent && pid == self.child;
            }
            self.wait(Some(Duration::from_millis(10)));
            self.turn();
        }
        self.reap();
    }
}

/// The signals that matter to a job, from now on delivered to us instead of doing what they do. One that is ignored
/// (by `nohup`, say) stays so, here and in the child; a handled one is as new in the child.
fn signals() -> io::Result<SignalDelivery<UnixStream, WithOrigin>> {
    let ignored = proc::ignored_signals();
    let wanted = [
        Signal::SIGCHLD,
        Signal::SIGINT,
        Signal::SIGQUIT,
        Signal::SIGTERM,
        Signal::SIGHUP,
        Signal::SIGUSR1,
        Signal::SIGUSR2,
    ];
    let wanted = wanted
        .into_iter()
        .filter(|&signal| signal == Signal::SIGCHLD || ignored >> (signal as u32 - 1) & 1 == 0)
        .map(|signal| signal as i32);
    let (read, write) = UnixStream::pair()?;
    SignalDelivery::with_pipe(read, write, WithOrigin::default(), wanted)
}
