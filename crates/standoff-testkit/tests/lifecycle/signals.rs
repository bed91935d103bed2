//! Ctrl-C, SIGTERM, and a signal to one rank.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Stdio;

use super::PATIENT;
use super::common::{Lab, signal};
use standoff_report::Verdict;

/// A terminal: its two ends.
fn terminal() -> (File, OwnedFd) {
    let (mut ours, mut theirs) = (-1, -1);
    let none = std::ptr::null_mut();
    // SAFETY: two places for descriptors; the other pointers may be null.
    let made = unsafe { libc::openpty(&mut ours, &mut theirs, none, none.cast(), none.cast()) };
    assert_eq!(made, 0);
    // SAFETY: both were just made, and belong to nobody else.
    unsafe { (File::from_raw_fd(ours), OwnedFd::from_raw_fd(theirs)) }
}

pub fn interrupt_from_the_terminal(lab: &Lab) {
    lab.file("patient.py", PATIENT);
    let (mut ours, theirs) = terminal();
    let mut command = lab.standoff(&["run", "-n", "2", "--json", "report.json", "patient.py"]);
    let end = || Stdio::from(theirs.try_clone().unwrap());
    command.stdin(end()).stdout(end()).stderr(end());
    let leader = || {
        // Whoever started the tests in the background has the signal ignored, and standoff leaves that so.
        // SAFETY: between fork and exec, with no memory to get wrong.
        unsafe { libc::signal(libc::SIGINT, libc::SIG_DFL) };
        // SAFETY: as above: a session of its own, on the terminal that is its standard input.
        match unsafe { libc::setsid() < 0 || libc::ioctl(0, libc::TIOCSCTTY, 0) < 0 } {
            true => Err(std::io::Error::last_os_error()),
            false => Ok(()),
        }
    };
    // SAFETY: see there.
    unsafe { command.pre_exec(leader) };
    let child = command.spawn().unwrap();
    drop((command, theirs));
    lab.until_there("ready-0");
    lab.until_there("ready-1");
    ours.write_all(b"\x03").unwrap();
    let mut said = Vec::new();
    // The last one who has the terminal open leaves it: an error on Linux.
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = ours.read(&mut buffer) {
        said.extend_from_slice(&buffer[..read]);
    }
    let said = String::from_utf8_lossy(&said).into_owned();
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

/// Session directories of this process that are still there.
fn sessions_of(pid: u32) -> usize {
    let name = format!("standoff-{pid}-");
    let bases = [std::path::PathBuf::from("/dev/shm"), std::env::temp_dir()];
    let entries = bases.iter().filter_map(|base| std::fs::read_dir(base).ok());
    let names = entries.flatten().flatten().map(|entry| entry.file_name());
    names
        .filter(|n| n.to_string_lossy().starts_with(&name))
        .count()
}
