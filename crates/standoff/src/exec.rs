//! `standoff exec`: the wrapper around one rank, started by the launcher of a batch script.
//!
//! The wrappers of a job find each other on their node by the name of a session directory, which they make of what the launcher gives to all its
//! processes and to no others (`name`). One of them, at first the first, holds the watch: its monitor reads the boards
//! of all ranks of the node. A wrapper whose rank has ended ends too, at once and with the same status, so that the launcher sees what it
//! would have seen; the watch passes to another then, as it does when a watcher is killed.
//!
//! On a deadlock the watcher prints the diagnosis, notes the status, and ends the node's ranks; each wrapper then ends
//! with that status. Under `standoff run` there is nothing to do: the program takes the wrapper's place.

use std::ffi::OsString;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};
use standoff_report::{Report, Scope, Verdict};

use crate::cli::ExecArgs;
use crate::error::Error;
use crate::exit::{self, JobExit, Status};
use crate::job::{self, Event};
use crate::launcher::{self, Wishes};
use crate::monitor::watch::Monitor;
use crate::output::{self, Style};
use crate::probe;
use crate::proc;
use crate::program::{self, Job};
use crate::session::{self, Shared};
use crate::watch::{Settings, Tick, Watcher, Why};

/// Time between two attempts to take over the watch.
const RELAY: Duration = Duration::from_millis(200);

/// Does it.
pub fn exec(args: ExecArgs) -> Result<Status, Error> {
    let command: Vec<String> = args
        .words
        .iter()
        .map(|w| w.to_string_lossy().into_owned())
        .collect();
    let program = match program::classify(args.words)? {
        Job::Typed(words) => {
            return Err(Error::Usage(format!(
                "`standoff exec` stands behind the launcher, not before it: {} … standoff exec -- PROGRAM (or use `standoff run`)",
                words[0].to_string_lossy()
            )));
        }
        program => program,
    };
    let wishes = Wishes {
        python: args.python.as_deref(),
        ..Wishes::default()
    };
    let plan = launcher::plan(program, wishes)?;
    if std::env::var_os(session::VARIABLE).is_some_and(|path| Path::new(&path).is_dir()) {
        let mut program = Command::new(&plan.words[0]);
        let source = program.args(&plan.words[1..]).exec();
        return Err(Error::Spawn {
            program: plan.words[0].to_string_lossy().into_owned(),
            source,
        });
    }
    let probe = probe::find()?;
    let mut shared = Shared::join(&name())?;
    let env = shared.environment(&probe)?;
    let spec = job::Spec {
        words: plan.words,
        env: env
            .into_iter()
            .map(|(name, value)| (OsString::from(name), value))
            .collect(),
        marker: shared.marker(),
        tied: true,
        launcher: false,
        ..job::Spec::default()
    };
    let options = job::Options {
        timeout: None,
        no_kill: args.no_kill,
        stall_exit: args.stall_exit,
        on_deadlock: None,
        raises: false,
    };
    let mut relay = Relay {
        shared: &shared,
        settings: Settings {
            session: shared.path().to_owned(),
            window: Duration::from_millis(args.window),
            ends: !args.no_kill,
            rescue: false,
            raises: false,
        },
        watch: None,
    };
    let style = Style::for_stream(args.brief, args.color, &io::stderr());
    let mut tell = |event: Event<'_>| {
        let (report, status) = match event {
            Event::Stalled(report) => (report, args.stall_exit.then_some(exit::STALLED)),
            Event::Deadlock(report) | Event::Timeout(report) => {
                (report, (!args.no_kill).then_some(args.error_exitcode))
            }
        };
        let mut report = report.clone();
        report.command.clone_from(&command);
        output::diagnosis(&report, style);
        shared.tell(status);
    };
    let outcome = job::run(&spec, options, &mut relay, &mut tell)?;
    let own = outcome.happened.status(args.error_exitcode);
    if outcome.happened.stalled || outcome.happened.deadlock && !args.no_kill {
        start_holder(&shared);
        // Launchers kill what is left when the first process ends so: it is done by then.
        shared.remove();
    } else if let Some(status) = shared.ended().filter(|_| own != Status::OK) {
        start_holder(&shared);
        shared.outlast();
        return Ok(Status::Code(status));
    }
    Ok(own)
}

/// MPICH's launcher (Hydra, up to 5.0 at least) kills all others at once when a rank's connection closes that has not come to MPI_Finalize, and ends
/// with the number of that signal. A process that keeps the connection open, and nothing else, until all wrappers
/// have ended lets their status through.
fn start_holder(shared: &Shared) {
    if std::env::var_os("PMI_FD").is_none() {
        return;
    }
    if let (Ok(me), Some(present)) = (std::env::current_exe(), shared.present()) {
        // Without it the status is the launcher's.
        let _ = Command::new(me)
            .arg("exec-hold")
            .stdin(present)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
    }
}

/// `standoff exec-hold`: waits until all wrappers of the session have ended. Standard input is the file that they lock.
pub fn hold() -> Result<Status, Error> {
    if let Ok(present) = io::stdin().as_fd().try_clone_to_owned() {
        let _ = Flock::lock(File::from(present), FlockArg::LockExclusive);
    }
    Ok(Status::OK)
}

/// What this job has on this node, and no other: the launcher's names for it, and its daemon here, which is an ancestor of all ranks. Where no known
/// daemon is found, the parent.
fn name() -> String {
    const NAMES: [&str; 5] = [
        "PMIX_NAMESPACE",
        "PMI_JOBID",
        "SLURM_JOB_ID",
        "SLURM_STEP_ID",
        "FLUX_JOB_ID",
    ];
    let mut key = DefaultHasher::new();
    for name in NAMES {
        std::env::var_os(name).hash(&mut key);
    }
    let ancestors = proc::ancestors();
    let daemon = ancestors
        .iter()
        .find(|(_, name)| standoff_board::source::daemon(name));
    if let Some((process, _)) = daemon.or(ancestors.first()) {
        process.hash(&mut key);
    }
    format!("{:016x}", key.finish())
}

/// Watches if nobody else of this job does.
struct Relay<'a> {
    shared: &'a Shared,
    settings: Settings,
    watch: Option<(Flock<File>, Monitor)>,
}

impl Watcher for Relay<'_> {
    fn tick(&mut self) -> Tick {
        if let Some((_, monitor)) = &mut self.watch {
            return monitor.tick();
        }
        // It is told once, whoever watches then.
        if !self.shared.is_told()
            && let Some(owner) = self.shared.watch()
        {
            let (_, monitor) = self
                .watch
                .insert((owner, Monitor::new(self.settings.clone())));
            return monitor.tick();
        }
        Tick::Continue { next: RELAY }
    }

    fn told(&mut self) {
        if let Some((_, monitor)) = &mut self.watch {
            monitor.told();
        }
    }

    fn snapshot(&mut self, why: Why) -> Report {
        match &mut self.watch {
            Some((_, monitor)) => monitor.snapshot(why),
            None => self.finish(JobExit::Code(0)),
        }
    }

    /// One rank's end is no result.
    fn finish(&mut self, _: JobExit) -> Report {
        Report::new(Verdict::Clean, Scope::ThisRun, 0)
    }
}
