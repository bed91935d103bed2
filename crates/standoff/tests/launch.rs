//! The command in front of fake launchers: exit statuses, signals, streams, and nobody left behind.
//!
//! Nothing here needs MPI. What is preloaded is a library that is loaded anyway.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A file of the C library, which can be preloaded without effect.
fn harmless() -> PathBuf {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let libc = maps
        .lines()
        .filter_map(|line| line.split_ascii_whitespace().nth(5));
    libc.filter(|path| path.contains("libc.so") || path.contains("libc-"))
        .map(PathBuf::from)
        .next()
        .expect("this test is linked against a shared C library")
}

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// A launcher that is this shell script.
    fn launcher(&self, script: &str) -> PathBuf {
        let file = self.path().join("mpiexec");
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        file
    }

    /// `standoff run OPTIONS mpiexec`, with pipes for its streams.
    fn run(&self, options: &[&str], script: &str) -> Child {
        let launcher = self.launcher(script);
        let mut command = standoff();
        command
            .arg("run")
            .args(options)
            .arg(launcher)
            .current_dir(self.path());
        command.spawn().unwrap()
    }
}

fn standoff() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_standoff"));
    command
        .env("STANDOFF_PROBE", harmless())
        .env_remove("LD_PRELOAD")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Everything it said until its streams are closed by all who hold them, and how it ended.
fn end(mut child: Child) -> (ExitStatus, String, String) {
    drop(child.stdin.take());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status, text(output.stdout), text(output.stderr))
}

fn send(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id() as i32), signal).unwrap();
}

/// Reads one line, which says that the script has come so far.
fn ready(child: &mut Child) -> BufReader<std::process::ChildStdout> {
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    out
}

#[test]
fn the_exit_status_is_the_launchers() {
    for code in [0, 1, 7, 96, 255] {
        let (status, ..) = end(Place::new().run(&["--quiet"], &format!("exit {code}")));
        assert_eq!(status.code(), Some(code));
    }
}

#[test]
fn it_dies_of_the_same_signal() {
    for signal in [
        Signal::SIGSEGV,
        Signal::SIGKILL,
        Signal::SIGTERM,
        Signal::SIGUSR1,
    ] {
        let script = format!("ulimit -c 0; kill -{} $$", signal as i32);
        let (status, ..) = end(Place::new().run(&["--quiet"], &script));
        assert_eq!(status.signal(), Some(signal as i32), "{signal}: {status}");
        assert!(!status.core_dumped());
    }
    // A real-time signal, as a shell would say it.
    let (status, ..) = end(Place::new().run(&["--quiet"], "kill -40 $$"));
    assert_eq!(status.code(), Some(128 + 40), "{status}");
}

#[test]
fn streams_pass_untouched() {
    let place = Place::new();
    let mut child = place.run(&["--quiet"], "cat; echo oops >&2");
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"one\0two\n")
        .unwrap();
    let (status, out, err) = end(child);
    assert!(status.success());
    assert_eq!((out.as_str(), err.as_str()), ("one\0two\n", "oops\n"));
}

#[test]
fn the_job_sees_where_it_is_watched_from() {
    let script = r#"test -d "$STANDOFF_SESSION" && echo "$STANDOFF_SESSION"; echo "$LD_PRELOAD""#;
    let (_, out, err) = end(Place::new().run(&[], script));
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 2, "{out}");
    assert!(
        !Path::new(lines[0]).exists(),
        "the session directory is removed"
    );
    assert_eq!(Path::new(lines[1]), harmless());
    assert!(err.contains("nothing was watched"), "{err}");
}

#[test]
fn what_is_preloaded_already_stays() {
    let place = Place::new();
    let launcher = place.launcher("echo \"$LD_PRELOAD\"");
    let mut command = standoff();
    command
        .args(["run", "--quiet"])
        .arg(launcher)
        .env("LD_PRELOAD", harmless());
    let (_, out, _) = end(command.spawn().unwrap());
    let twice = format!("{0}:{0}\n", harmless().display());
    assert_eq!(out, twice);
}

#[test]
fn signals_for_standoff_reach_the_job() {
    for (signal, name) in [
        (Signal::SIGTERM, "TERM"),
        (Signal::SIGINT, "INT"),
        (Signal::SIGHUP, "HUP"),
        (Signal::SIGUSR1, "USR1"),
    ] {
        // One that whoever runs the tests ignores (nohup) is ignored by the job, too: see an_ignored_hangup_stays_ignored.
        if standoff::proc::ignored_signals() & (1 << (signal as i32 - 1)) != 0 {
            continue;
        }
        let place = Place::new();
        let script = format!("sleep 1000 & trap 'kill $!; exit 5' {name}; echo ready; wait");
        let mut child = place.run(&["--quiet"], &script);
        let mut out = ready(&mut child);
        send(&child, signal);
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        let (status, ..) = end(child);
        assert_eq!(status.code(), Some(5), "{name}");
    }
}

#[test]
fn a_job_that_a_signal_kills_takes_standoff_with_it() {
    let place = Place::new();
    let mut child = place.run(&["--quiet"], "echo ready; exec sleep 1000");
    let _out = ready(&mut child);
    send(&child, Signal::SIGTERM);
    let (status, ..) = end(child);
    assert_eq!(status.signal(), Some(15));
}

#[test]
fn an_ignored_hangup_stays_ignored() {
    let place = Place::new();
    let launcher = place.launcher("echo ready; read go; echo survived");
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            "trap '' HUP; exec \"$0\" run --quiet \"$1\"",
            env!("CARGO_BIN_EXE_standoff"),
        ])
        .arg(launcher)
        .env("STANDOFF_PROBE", harmless())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut out = ready(&mut child);
    send(&child, Signal::SIGHUP);
    child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "survived\n");
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_timeout_leaves_nobody_behind() {
    let place = Place::new();
    // Ranks in a session of their own that ignore SIGTERM, under a launcher that does so too. All hold the pipe.
    let script = "trap '' TERM; (setsid sh -c 'sleep 1000; :' &) ; setsid sh -c 'sleep 1000; :' & echo ready; sleep 1000";
    let mut child = place.run(&["--timeout", "500ms", "--json", "out.json"], script);
    let mut out = ready(&mut child);
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    let (status, _, err) = end(child);
    assert_eq!(status.code(), Some(124), "{err}");
    assert!(err.contains("timeout"), "{err}");
    let json = fs::read_to_string(place.path().join("out.json")).unwrap();
    assert!(
        json.contains("\"timeout\"") && json.contains("\"failed\""),
        "{json}"
    );
}

#[test]
fn the_directory_of_a_killed_launcher_goes_with_it() {
    // As Open MPI's launcher does; the names beside it are not this launcher's.
    let make = "mkdir -p $TMPDIR/ompi.$$/0/1 $TMPDIR/ompi.${$}0 $TMPDIR/ompi.vm.0; \
                touch $TMPDIR/ompi.$$/pmix.vm.tool; echo $$ > pid; echo ready";
    for (trap, killed) in [("''", true), ("'exit 0'", false)] {
        let place = Place::new();
        let scratch = place.path().join("tmp");
        fs::create_dir(&scratch).unwrap();
        let launcher = place.launcher(&format!(
            "trap {trap} TERM; {make}; while :; do sleep 1000 & wait; done"
        ));
        let mut command = standoff();
        command
            .args(["run", "--quiet", "--timeout", "1s"])
            .arg(launcher)
            .env("TMPDIR", &scratch)
            .current_dir(place.path());
        let mut child = command.spawn().unwrap();
        let mut out = ready(&mut child);
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        let (status, _, err) = end(child);
        assert_eq!(status.code(), Some(124), "{err}");
        let pid = fs::read_to_string(place.path().join("pid")).unwrap();
        let pid = pid.trim();
        let own = scratch.join(format!("ompi.{pid}"));
        // One that ends by itself tidies up by itself.
        assert_eq!(own.exists(), !killed, "trap {trap}");
        assert!(scratch.join(format!("ompi.{pid}0")).exists());
        assert!(scratch.join("ompi.vm.0").exists());
    }
}

#[test]
fn a_launcher_killed_by_others_keeps_its_directory() {
    let place = Place::new();
    let launcher = place.launcher("mkdir $TMPDIR/ompi.$$; echo $$ > pid; kill -9 $$");
    let mut command = standoff();
    command
        .args(["run", "--quiet"])
        .arg(launcher)
        .env("TMPDIR", place.path())
        .current_dir(place.path());
    let (status, ..) = end(command.spawn().unwrap());
    assert_eq!(status.signal(), Some(9));
    let pid = fs::read_to_string(place.path().join("pid")).unwrap();
    assert!(place.path().join(format!("ompi.{}", pid.trim())).is_dir());
}

#[test]
fn a_daemon_that_the_job_leaves_is_none_of_our_business() {
    let place = Place::new();
    let fifo = place.path().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    // It holds no stream of ours, and says that it lives when it is asked.
    let script =
        "setsid sh -c 'read x < fifo; echo alive > fifo' >/dev/null 2>&1 </dev/null & exit 0";
    let (status, ..) = end(place.run(&["--quiet"], script));
    assert!(status.success());
    fs::write(&fifo, "are you there?\n").unwrap();
    assert_eq!(fs::read_to_string(&fifo).unwrap(), "alive\n");
}

#[test]
fn json_is_written_when_all_is_well() {
    let place = Place::new();
    let (status, ..) = end(place.run(&["--quiet", "--json", "out.json"], "exit 3"));
    assert_eq!(status.code(), Some(3));
    let file = fs::File::open(place.path().join("out.json")).unwrap();
    let report = standoff_report::json::read(file).unwrap();
    assert_eq!(report.verdict, standoff_report::Verdict::Failed);
    assert_eq!(report.exit.code, Some(3));
    let shown = standoff()
        .arg("report")
        .arg(place.path().join("out.json"))
        .spawn()
        .unwrap();
    let (status, out, _) = end(shown);
    assert!(status.success() && out.contains("failed"), "{out}");
}

#[test]
fn nothing_starts_when_the_result_cannot_be_written() {
    let place = Place::new();
    let (status, out, err) = end(place.run(&["--json", "no/such/dir/out.json"], "echo started"));
    assert_eq!((status.code(), out.as_str()), (Some(96), ""));
    assert!(err.contains("error") && err.contains("help"), "{err}");
}

#[test]
fn what_cannot_work_says_why() {
    for (args, code, word) in [
        (
            &["run", "no-such-program"][..],
            96,
            "cannot find the program",
        ),
        (&["run", "nowhere.py"], 96, "cannot find the program"),
        (&["run", "/etc/passwd"], 96, "cannot be executed"),
        (
            &["run", "--python", "/no/python", "-c", "0"],
            96,
            "does not work as a Python",
        ),
        (&["report", "/no/such/file"], 96, "cannot read"),
        (&["run", "--jsno", "x"], 2, "unexpected argument"),
        (&["run"], 2, "required"),
        (&["frobnicate"], 2, "unrecognized"),
    ] {
        let (status, out, err) = end(standoff().args(args).spawn().unwrap());
        assert_eq!(
            (status.code(), out.as_str()),
            (Some(code), ""),
            "{args:?}: {err}"
        );
        assert!(err.contains(word), "{args:?}: {err}");
    }
    let (status, _, err) = end(Place::new().run(&["-n", "2"], "echo started"));
    assert_eq!(status.code(), Some(2), "{err}");
}

#[test]
fn a_probe_that_is_none() {
    let place = Place::new();
    let launcher = place.launcher("echo started");
    for probe in ["/no/such/probe.so", "/etc/passwd"] {
        let mut command = standoff();
        command
            .arg("run")
            .arg(&launcher)
            .env("STANDOFF_PROBE", probe);
        let (status, out, err) = end(command.spawn().unwrap());
        assert_eq!((status.code(), out.as_str()), (Some(96), ""), "{err}");
        assert!(err.contains("help"), "{err}");
    }
}

#[test]
fn a_program_alone_and_its_arguments() {
    let mut command = standoff();
    command.args([
        "run",
        "-q",
        "sh",
        "-c",
        "echo \"$0 $*\"; exit 4",
        "-n",
        "--json",
        "x",
    ]);
    let (status, out, _) = end(command.spawn().unwrap());
    assert_eq!((status.code(), out.as_str()), (Some(4), "-n --json x\n"));
}
