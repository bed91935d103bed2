//! Ctrl-C, SIGTERM, and a signal to one rank.

use std::io::Write;

use super::PATIENT;
use super::common::terminal::{shown, start_on_terminal};
use super::common::{Lab, sessions_of, signal};
use standoff_report::Verdict;

pub fn interrupt_from_the_terminal(lab: &Lab) {
    lab.file("patient.py", PATIENT);
    let command = lab.standoff(&["run", "-n", "2", "--json", "report.json", "patient.py"]);
    let (child, mut terminal) = start_on_terminal(command);
    lab.until_there("ready-0");
    lab.until_there("ready-1");
    terminal.write_all(b"\x03").unwrap();
    let said = shown(terminal);
    let pid = child.id();
    let ended = lab.end(child);
    assert!(ended.code != Some(0), "{ended:#?} {said}");
    assert!(
        said.contains("interrupted by a signal") && !said.contains("was killed"),
        "{said}"
    );
    assert_eq!(lab.report().verdict, Verdict::Failed);
    assert_eq!(sessions_of(pid), 0);
}

/// A launcher may pass Ctrl-C on to ranks that then wait for one which it ended: no deadlock of the program.
pub fn interrupt_of_a_rank(lab: &Lab) {
    let program = "\
import os, lab
from mpi4py import MPI
comm = MPI.COMM_WORLD
lab.watched(comm)
if comm.rank == 1: comm.recv(source=0)
with open('pid.new', 'w') as file: file.write(str(os.getpid()))
os.rename('pid.new', 'pid')
lab.wait_for('go')
comm.send(1, dest=1)
";
    lab.file("legal.py", program);
    let args = ["run", "-n", "2", "--json", "report.json", "legal.py"];
    let child = lab.start(&mut lab.standoff(&args));
    lab.until_there("pid");
    let pid = std::fs::read_to_string(lab.path("pid")).unwrap();
    signal(pid.parse().unwrap(), libc::SIGINT);
    let pid = child.id();
    let ended = lab.end(child);
    ended.expect(130, &["interrupted by a signal", "KeyboardInterrupt"]);
    assert!(!ended.err.contains("standoff: deadlock"), "{ended:#?}");
    let report = lab.report();
    assert_eq!(
        (report.verdict, report.exit.code),
        (Verdict::Failed, Some(130))
    );
    assert!(report.findings.is_empty(), "{report:#?}");
    assert_eq!(sessions_of(pid), 0);
}

pub fn termination(lab: &Lab) {
    lab.file("patient.py", PATIENT);
    let child = lab.start(&mut lab.standoff(&["run", "-n", "2", "patient.py"]));
    lab.until_there("ready-0");
    lab.until_there("ready-1");
    let pid = child.id();
    signal(pid as i32, libc::SIGTERM);
    let ended = lab.end(child);
    assert!(ended.code != Some(0), "{ended:#?}");
    assert!(ended.err.contains("interrupted by a signal"), "{ended:#?}");
    assert_eq!(sessions_of(pid), 0);
}
