//! What the main loop does with what a watcher says. Without the test harness, as the loop must own the process: it
//! takes signals, and adopts and buries whatever the job leaves.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use standoff::exit::{JobExit, Status};
use standoff::job::{self, Event, Options, Outcome, Spec};
use standoff::watch::{Tick, Watcher, Why};
use standoff_report::{Report, Scope, Verdict};

/// Says `verdict` once, as soon as the job says that it is ready.
struct Fake {
    verdict: Option<Verdict>,
    ready: BufReader<File>,
}

impl Watcher for Fake {
    fn tick(&mut self) -> Tick {
        let Some(verdict) = self.verdict.take() else {
            return Tick::Continue {
                next: Duration::from_secs(3600),
            };
        };
        let mut line = String::new();
        self.ready.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        let report = Box::new(Report::new(verdict, Scope::ThisRun, 2));
        match verdict {
            Verdict::Deadlock => Tick::Deadlock(report),
            _ => Tick::Stalled(report),
        }
    }

    fn snapshot(&mut self, _: Why) -> Report {
        Report::new(Verdict::Failed, Scope::ThisRun, 2)
    }

    fn finish(&mut self, _: JobExit) -> Report {
        Report::new(Verdict::Clean, Scope::ThisRun, 2)
    }
}

/// Runs `script`, in which file descriptor 3 leads to the test and `go` is a pipe that lets it go on. All processes of
/// the job hold descriptor 3, so its end is the end of them all. Returns what was told, too.
fn run(script: &str, verdict: Verdict, options: &Options) -> (Outcome, Vec<&'static str>) {
    let dir = tempfile::tempdir().unwrap();
    let (out, go) = (dir.path().join("out"), dir.path().join("go"));
    for fifo in [&out, &go] {
        nix::unistd::mkfifo(fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    }
    let script = format!("exec 3>{}\ngo={}\n{script}", out.display(), go.display());
    let spec = Spec {
        words: vec!["sh".into(), "-c".into(), script.into()],
        env: vec![("STANDOFF_SESSION".into(), dir.path().into())],
        marker: format!("STANDOFF_SESSION={}", dir.path().display()).into_bytes(),
        ..Spec::default()
    };
    // Both ends here, or opening would wait for the job, which is not there yet.
    let reader = File::options().read(true).write(true).open(&out).unwrap();
    let mut only_reader = File::options().read(true).open(&out).unwrap();
    let mut watcher = Fake {
        verdict: Some(verdict),
        ready: BufReader::with_capacity(1, reader),
    };
    let told = Rc::new(RefCell::new(Vec::new()));
    let outcome = job::run(&spec, options.clone(), &mut watcher, &mut |event| {
        let (name, report) = match event {
            Event::Deadlock(report) => ("deadlock", report),
            Event::Stalled(report) => ("stalled", report),
            Event::Timeout(report) => ("timeout", report),
        };
        assert!(report.elapsed_ms.is_some());
        told.borrow_mut().push(name);
        release(&go, options);
    })
    .unwrap();
    drop(watcher);
    let mut rest = String::new();
    only_reader.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
    let told = told.borrow().clone();
    (outcome, told)
}

/// Lets the job go on, if it is to end by itself.
fn release(go: &Path, options: &Options) {
    if options.no_kill {
        File::options()
            .write(true)
            .open(go)
            .unwrap()
            .write_all(b"go\n")
            .unwrap();
    }
}

const STUBBORN: &str = "trap '' TERM; (setsid sh -c 'sleep 1000; :' &); setsid sh -c 'sleep 1000; :' & echo ready >&3; sleep 1000";
const PATIENT: &str = "echo ready >&3; read x < $go; exit 3";

fn main() {
    let ends = Options::default();
    let (outcome, told) = run(STUBBORN, Verdict::Deadlock, &ends);
    assert_eq!(told, ["deadlock"]);
    assert_eq!(outcome.happened.status(99), Status::Code(99));
    assert_eq!(
        (outcome.happened.job, outcome.report.verdict),
        (None, Verdict::Deadlock)
    );

    let quick = "echo ready >&3; exec sleep 1000";
    let begun = std::time::Instant::now();
    let (outcome, _) = run(quick, Verdict::Deadlock, &ends);
    assert_eq!(outcome.happened.status(99), Status::Code(99));
    // Far below the grace period: nobody waits for what is gone. The bound is loose for busy machines.
    assert!(
        begun.elapsed() < Duration::from_millis(1900),
        "{:?}",
        begun.elapsed()
    );

    let leaves = Options {
        no_kill: true,
        ..ends.clone()
    };
    let (outcome, told) = run(PATIENT, Verdict::Deadlock, &leaves);
    assert_eq!(told, ["deadlock"]);
    assert_eq!(outcome.happened.status(99), Status::Code(99));
    assert_eq!(
        outcome.happened.job,
        Some(JobExit::Code(3)),
        "it ended by itself"
    );
    assert_eq!(outcome.report.verdict, Verdict::Deadlock);

    let (outcome, told) = run(PATIENT, Verdict::Stalled, &leaves);
    assert_eq!(told, ["stalled"]);
    assert_eq!(
        outcome.happened.status(99),
        Status::Code(3),
        "a stall changes nothing by itself"
    );
    assert_eq!(outcome.report.verdict, Verdict::Clean);

    let stall_exit = Options {
        stall_exit: true,
        ..ends.clone()
    };
    let (outcome, _) = run(STUBBORN, Verdict::Stalled, &stall_exit);
    assert_eq!(outcome.happened.status(99), Status::Code(97));

    assert_eq!(children(), "", "all are buried");
}

/// The children of this process, as the kernel lists them.
fn children() -> String {
    let me = std::process::id();
    fs::read_to_string(format!("/proc/self/task/{me}/children")).unwrap_or_default()
}
