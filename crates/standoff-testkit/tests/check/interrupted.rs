//! Signals while `check` is at work after the recorded run.

use std::io::Write;
use std::os::unix::process::CommandExt;

use standoff_report::{Report, Scope, Verdict};

use super::common::terminal::{shown, start_on_terminal};
use super::common::{Lab, sessions_of, signal};

/// Two messages, in any order. The first run after the recorded one waits for the file `go`.
const EITHER_FIRST: &str = "\
import os, lab
from mpi4py import MPI
comm = MPI.COMM_WORLD
if comm.rank == 0:
    before = sum(name.startswith('run-') for name in os.listdir('.'))
    lab.make('run-%d' % before)
    if before == 1: lab.wait_for('go')
    for _ in range(2): comm.recv(source=MPI.ANY_SOURCE)
else:
    comm.send(None, dest=0)
";

/// Both send first; the first run after the recorded one waits, as above.
const BOTH_SEND: &str = "\
import os, lab
from mpi4py import MPI
comm = MPI.COMM_WORLD
if comm.rank == 0:
    before = sum(name.startswith('run-') for name in os.listdir('.'))
    lab.make('run-%d' % before)
    if before == 1: lab.wait_for('go')
comm.send(None, dest=1 - comm.rank)
comm.recv(source=1 - comm.rank)
";

#[track_caller]
fn cut_short(report: &Report) {
    assert_eq!(
        (report.verdict, report.scope),
        (Verdict::Clean, Scope::Bounded)
    );
    let bound = report.bound.as_deref().unwrap_or_default();
    assert!(bound.contains("the check was interrupted"), "{bound}");
    assert!(!bound.contains("--budget"), "{bound}");
}

pub fn from_the_terminal(lab: &Lab) {
    lab.file("either.py", EITHER_FIRST);
    let mut command = lab.standoff(&["check", "-n", "3", "--json", "report.json", "either.py"]);
    command.env("TERM", "xterm");
    let (child, mut terminal) = start_on_terminal(command);
    lab.until_there("run-1");
    terminal.write_all(b"\x03").unwrap();
    let said = shown(terminal);
    let pid = child.id();
    let ended = lab.end(child);
    // As the shell that runs it in a loop expects.
    assert_eq!(ended.signal, Some(libc::SIGINT), "{ended:#?} {said}");
    assert!(
        said.contains("\r\x1b[Kstandoff: check: run 1 of at most 30; "),
        "{said}"
    );
    assert!(said.contains("the check was interrupted"), "{said}");
    cut_short(&lab.report());
    assert_eq!(sessions_of(pid), 0);
}

pub fn termination(lab: &Lab) {
    lab.file("either.py", EITHER_FIRST);
    let args = ["check", "-n", "3", "--json", "report.json", "either.py"];
    let child = lab.start(&mut lab.standoff(&args));
    lab.until_there("run-1");
    let pid = child.id();
    signal(pid as i32, libc::SIGTERM);
    let ended = lab.end(child);
    assert_eq!(ended.signal, Some(libc::SIGTERM), "{ended:#?}");
    assert!(!ended.err.contains('\x1b'), "{ended:#?}");
    cut_short(&lab.report());
    assert_eq!(sessions_of(pid), 0);
}

pub fn what_it_has(lab: &Lab) {
    lab.file("both.py", BOTH_SEND);
    let args = ["check", "-n", "2", "--json", "report.json", "both.py"];
    let child = lab.start(&mut lab.standoff(&args));
    lab.until_there("run-1");
    signal(child.id() as i32, libc::SIGTERM);
    let ended = lab.end(child);
    ended.expect(
        98,
        &[
            "potential deadlock: ranks 0 and 1 both send before they receive",
            "The check was interrupted before it could be forced",
        ],
    );
    assert_eq!(lab.report().verdict, Verdict::PotentialDeadlock);
}

/// As under `nohup`: the terminal goes, and the check goes on.
pub fn hangup_that_is_ignored(lab: &Lab) {
    lab.file("either.py", EITHER_FIRST);
    let args = ["check", "-n", "3", "--json", "report.json", "either.py"];
    let mut command = lab.standoff(&args);
    let ignore = || {
        // SAFETY: between fork and exec, with no memory to get wrong.
        unsafe { libc::signal(libc::SIGHUP, libc::SIG_IGN) };
        Ok(())
    };
    // SAFETY: see there.
    unsafe { command.pre_exec(ignore) };
    let child = lab.start(&mut command);
    lab.until_there("run-1");
    signal(child.id() as i32, libc::SIGHUP);
    lab.file("go", "");
    lab.end(child)
        .expect(0, &["in any execution that MPI allows"]);
    let report = lab.report();
    assert_eq!(
        (report.verdict, report.scope),
        (Verdict::Clean, Scope::AllExecutions)
    );
}
