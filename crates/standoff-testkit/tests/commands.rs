//! `exec` and `dump`.

mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use common::{DEADLOCK, GOOD, Lab, signal, told_once};
use standoff_report::{FindingKind, Report, Verdict};
use standoff_testkit::artifacts::Artifacts;

fn main() -> ExitCode {
    common::main(&[
        ("exec_deadlock", exec_deadlock),
        ("exec_clean", exec_clean),
        ("exec_status_of_its_own", exec_status_of_its_own),
        ("exec_two_jobs", exec_two_jobs),
        ("exec_watcher_killed", exec_watcher_killed),
        ("exec_watcher_ends_first", exec_watcher_ends_first),
        ("exec_watch_passes_on", exec_watch_passes_on),
        ("exec_no_kill", exec_no_kill),
        ("exec_under_run", exec_under_run),
        ("exec_usage", exec_usage),
        ("dump_of_a_running_job", dump_of_a_running_job),
        ("dump_of_a_deadlock", dump_of_a_deadlock),
        ("dump_of_several_and_none", dump_of_several_and_none),
    ])
}

fn standoff() -> &'static Path {
    &Artifacts::get().unwrap().standoff
}

/// `mpiexec -n N standoff exec ARGS`.
fn exec(lab: &Lab, ranks: u32, args: &[&str]) -> Command {
    let mut command = lab.command(lab.environment.program("mpiexec"));
    command.args(["-n", &ranks.to_string()]).arg(standoff());
    command.arg("exec").args(args);
    command
}

/// Marks the session as this test's, for [`no_session`].
const MARK: &str = "\
import os
with open(os.environ['STANDOFF_SESSION'] + '/lab', 'w') as file: file.write(os.getcwd())
";

/// No session of a program with [`MARK`] is left.
#[track_caller]
fn no_session(lab: &Lab) {
    let bases = [PathBuf::from("/dev/shm"), lab.path("tmp")];
    let entries = bases.iter().flat_map(std::fs::read_dir).flatten().flatten();
    let here = lab.path("good.py").parent().unwrap().to_owned();
    for entry in entries {
        let mark = std::fs::read_to_string(entry.path().join("lab"));
        assert!(
            !mark.is_ok_and(|text| Path::new(&text) == here),
            "{entry:?}"
        );
    }
}

fn exec_deadlock(lab: &Lab) {
    lab.file("deadlock.py", &format!("{MARK}{DEADLOCK}"));
    let ended = lab.finish(exec(lab, 2, &["--", "python", "deadlock.py"]));
    assert_eq!(ended.code, Some(99), "{ended:#?}");
    told_once(
        &ended,
        "standoff: deadlock: ranks 0 and 1 wait for each other",
    );
    assert!(ended.err.contains("deadlock.py:6"), "{ended:#?}");
    no_session(lab);
}

fn exec_clean(lab: &Lab) {
    lab.file("good.py", &format!("{MARK}{GOOD}"));
    let ended = lab.finish(exec(lab, 3, &["good.py", "--brief", "-n", "x"]));
    assert_eq!(
        (ended.code, ended.out.as_str(), ended.err.as_str()),
        (Some(0), "ranks 3 --brief -n x\n", "")
    );
    no_session(lab);
}

fn exec_status_of_its_own(lab: &Lab) {
    lab.file(
        "three.py",
        &format!("{GOOD}\nMPI.Finalize()\nsys.exit(3)\n"),
    );
    let ended = lab.finish(exec(lab, 2, &["three.py"]));
    assert!(
        ended.code == Some(3) && !ended.err.contains("standoff"),
        "{ended:#?}"
    );
}

/// Two jobs at the same time do not find each other.
fn exec_two_jobs(lab: &Lab) {
    let program = "\
import lab, os, sys
from mpi4py import MPI
comm = MPI.COMM_WORLD
if comm.rank == 0:
    lab.make(sys.argv[1] + '.here')
    print(os.environ['STANDOFF_SESSION'], flush=True)
lab.wait_for(sys.argv[2] + '.here')
comm.Barrier()
";
    lab.file("meets.py", program);
    let (mpiexec, standoff) = (lab.environment.program("mpiexec"), standoff());
    let one = format!(
        "'{}' -n 2 '{}' exec meets.py",
        mpiexec.display(),
        standoff.display()
    );
    let mut command = lab.command("sh");
    command.args(["-c", &format!("{one} a b & {one} b a; wait")]);
    let ended = lab.finish(command);
    let sessions: BTreeSet<&str> = ended.out.lines().collect();
    assert_eq!((ended.code, sessions.len()), (Some(0), 2), "{ended:#?}");
}

/// Goes on when `go` is there; then ranks 1 and 2 wait for each other.
const LATER: &str = "\
import lab
from mpi4py import MPI
comm = MPI.COMM_WORLD
comm.Barrier()
lab.make('ready-%d' % comm.rank)
lab.wait_for('go')
if comm.rank > 0: comm.recv(source=3 - comm.rank)
";

fn start_later(lab: &Lab) -> std::process::Child {
    lab.file("later.py", LATER);
    let child = lab.start(&mut exec(lab, 3, &["later.py"]));
    for rank in 0..3 {
        lab.until_there(&format!("ready-{rank}"));
    }
    child
}

/// Value of a variable in the environment of a process.
fn variable(pid: i32, name: &str) -> Option<String> {
    let environment = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
    let environment = String::from_utf8_lossy(&environment).into_owned();
    let value = |v: &str| Some(v.strip_prefix(name)?.strip_prefix('=')?.to_owned());
    environment.split('\0').find_map(value)
}

/// Who watches.
fn watcher(lab: &Lab) -> i32 {
    let mut found = None;
    lab.until("a watcher", || {
        found = lab.processes().into_iter().find_map(|(pid, _)| {
            let session = variable(pid, "STANDOFF_SESSION")?;
            let owner = std::fs::read_to_string(format!("{session}/owner")).ok()?;
            owner.split(' ').next()?.parse().ok()
        });
        found.is_some()
    });
    found.unwrap()
}

/// Its rank dies with it, and the launcher ends the job for that; nobody is left behind.
fn exec_watcher_killed(lab: &Lab) {
    let child = start_later(lab);
    signal(watcher(lab), libc::SIGKILL);
    lab.file("go", "");
    let ended = lab.end(child);
    assert!(ended.code != Some(0), "{ended:#?}");
}

/// Whoever watched first, rank 0 ends as soon as the library lets it; the others' deadlock is found all the same, and told once.
fn exec_watcher_ends_first(lab: &Lab) {
    let child = start_later(lab);
    lab.file("go", "");
    let ended = lab.end(child);
    assert!(ended.code != Some(0), "{ended:#?}");
    told_once(
        &ended,
        "standoff: deadlock: ranks 1 and 2 wait for each other",
    );
}

/// Two wrappers of one parent are one job, too. The first to come, whose program is none of MPI's, ends or is killed; the second then watches.
fn exec_watch_passes_on(lab: &Lab) {
    let program = format!("import lab\nlab.wait_for('go')\n{MARK}{DEADLOCK}");
    lab.file("deadlock.py", &program);
    for kill in [false, true] {
        let (standoff, mpiexec) = (standoff().display(), lab.environment.program("mpiexec"));
        // Its own job is what the name of the session says: one parent, the shell.
        let script = format!(
            "unset PMIX_NAMESPACE SLURM_JOB_ID\n'{standoff}' exec cat fifo & echo $! > first\n\
             until test -s owner; do cat /dev/shm/standoff-exec-*/owner tmp/standoff-exec-*/owner 2>/dev/null | grep \"^$! \" > owner; done\n\
             '{standoff}' exec --brief sh -c \"'{}' -n 2 python deadlock.py\"",
            mpiexec.display()
        );
        for name in ["owner", "go", "fifo"] {
            let _ = std::fs::remove_file(lab.path(name));
        }
        make_fifo(&lab.path("fifo"));
        let mut shell = lab.command("sh");
        let child = lab.start(shell.args(["-c", &script]));
        lab.until("the first to watch", || {
            std::fs::read(lab.path("owner")).is_ok_and(|t| !t.is_empty())
        });
        lab.until("the second", || {
            lab.processes()
                .iter()
                .any(|(_, words)| words.contains("deadlock.py"))
        });
        let first: i32 = std::fs::read_to_string(lab.path("first"))
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        assert_eq!(watcher(lab), first);
        if kill {
            signal(first, libc::SIGKILL);
        } else {
            // Its program reads to the end.
            drop(
                std::fs::File::options()
                    .write(true)
                    .open(lab.path("fifo"))
                    .unwrap(),
            );
        }
        lab.until("another to watch", || {
            let processes = lab.processes();
            !processes.iter().any(|(pid, _)| *pid == first) && watcher(lab) != first
        });
        lab.file("go", "");
        let ended = lab.end(child);
        ended.expect(
            99,
            &["standoff: deadlock: ranks 0 and 1 wait for each other"],
        );
        told_once(&ended, "standoff: deadlock");
        no_session(lab);
    }
}

fn make_fifo(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

fn exec_no_kill(lab: &Lab) {
    lab.file("deadlock.py", DEADLOCK);
    let child = lab.start(&mut exec(lab, 2, &["--no-kill", "deadlock.py"]));
    lab.until("the diagnosis", || {
        lab.said().1.contains("standoff: deadlock: ")
    });
    let ranks = lab.processes();
    let is_rank =
        |(_, words): &&(i32, String)| words.contains("python") && words.ends_with("deadlock.py ");
    assert!(ranks.iter().filter(is_rank).count() >= 2, "{ranks:?}");
    signal(child.id() as i32, libc::SIGTERM);
    told_once(&lab.end(child), "standoff: deadlock: ");
}

/// `run` watches already.
fn exec_under_run(lab: &Lab) {
    lab.file("deadlock.py", DEADLOCK);
    let ended = lab.run(&[
        "run",
        "-n",
        "2",
        standoff().to_str().unwrap(),
        "exec",
        "deadlock.py",
    ]);
    ended.expect(99, &["ranks 0 and 1 wait for each other", "deadlock.py:4"]);
    told_once(&ended, "standoff: deadlock: ");
}

fn exec_usage(lab: &Lab) {
    for args in [
        &["exec"][..],
        &["exec", "mpiexec", "-n", "2", "x"],
        &["exec", "-n", "2", "x"],
        // The end of a batch job, and its time, are the batch system's.
        &["exec", "--json", "report.json", "x"],
        &["exec", "--timeout", "30", "x"],
    ] {
        let ended = lab.run(args);
        assert_eq!(ended.code, Some(2), "{ended:#?}");
    }
    lab.run(&["exec", "./missing"])
        .broken(&["cannot find the program"]);
}

/// `standoff dump ARGS`, beside a job.
fn dump(lab: &Lab, args: &[&str]) -> String {
    let said = lab.standoff(&[&["dump"], args].concat()).output().unwrap();
    assert!(said.status.success(), "{said:?}");
    String::from_utf8(said.stdout).unwrap()
}

fn dump_of_a_running_job(lab: &Lab) {
    let program = "\
import lab
from mpi4py import MPI
comm = MPI.COMM_WORLD
lab.watched(comm)
if comm.rank == 0: lab.wait_for('go'); comm.send(1, dest=1, tag=4)
if comm.rank == 1: comm.recv(source=0, tag=4)
comm.Barrier()
";
    lab.file("long.py", program);
    let child = lab.start(&mut lab.standoff(&["run", "-n", "3", "long.py"]));
    lab.until("a session", || {
        lab.processes()
            .iter()
            .any(|(pid, _)| variable(*pid, "STANDOFF_SESSION").is_some())
    });
    let pid = child.id().to_string();
    let mut text = String::new();
    lab.until("all in their calls", || {
        text = dump(lab, &[&pid]);
        text.contains("comm.recv") && text.contains("comm.Barrier")
    });
    for words in [
        "standoff: now: 3 ranks, no deadlock so far",
        "is outside MPI at",
        "long.py:6",
        "waits for rank 0\n",
        "long.py:7",
        "waits for ranks 0 and 1\n",
    ] {
        assert!(text.contains(words), "no `{words}` in {text}");
    }
    let report: Report = serde_json::from_str(&dump(lab, &["--json", &pid])).unwrap();
    assert_eq!((report.verdict, report.ranks), (Verdict::Clean, 3));
    assert_eq!(report.findings[0].kind, FindingKind::Snapshot);
    let one = &report.findings[0].core[1];
    assert_eq!((one.rank, one.peer, one.tag), (1, Some(0), Some(4)));
    // By the number of another of its processes, too.
    let processes = lab.processes();
    let rank = processes
        .iter()
        .find(|(_, words)| words.contains("long.py") && !words.contains("standoff run"));
    assert!(dump(lab, &["--brief", &rank.unwrap().0.to_string()]).contains("3 ranks"));
    lab.file("go", "");
    lab.end(child).expect(0, &["standoff: clean: 3 ranks"]);
}

fn dump_of_a_deadlock(lab: &Lab) {
    lab.file("deadlock.py", DEADLOCK);
    let args = [
        "run",
        "-n",
        "2",
        "--no-kill",
        "--json",
        "report.json",
        "deadlock.py",
    ];
    let child = lab.start(&mut lab.standoff(&args));
    lab.until_there("report.json");
    let text = dump(lab, &[&child.id().to_string()]);
    assert!(
        text.contains("standoff: deadlock: ranks 0 and 1 wait for each other"),
        "{text}"
    );
    assert!(text.contains("deadlock.py:4"), "{text}");
    signal(child.id() as i32, libc::SIGTERM);
    lab.end(child).expect(99, &[]);
}

fn dump_of_several_and_none(lab: &Lab) {
    let me = std::process::id().to_string();
    lab.run(&["dump", &me])
        .broken(&["belongs to no job that standoff watches here"]);
    lab.file("later.py", LATER);
    let start = || lab.start(&mut lab.standoff(&["run", "-q", "-n", "1", "later.py"]));
    let (one, two) = (start(), start());
    let pids = [one.id(), two.id()].map(|pid| pid.to_string());
    lab.until("both in the list", || {
        let text = dump(lab, &[]);
        let listed = |pid: &String| {
            let mut lines = text.lines();
            lines.any(|l| l.trim_start().starts_with(pid) && l.contains("later.py"))
        };
        text.contains("jobs are being watched") && pids.iter().all(listed)
    });
    lab.file("go", "");
    lab.end(one).expect(0, &[]);
    lab.end(two).expect(0, &[]);
}
