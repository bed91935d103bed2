//! One run of one example under `standoff run` or `standoff check`.

use std::fs::File;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use standoff_report::{Report, Verdict};

use crate::artifacts::Artifacts;
use crate::compare::{Ended, Mismatch, Observation, Subject, compare, compare_check};
use crate::compile;
use crate::environment::Environment;
use crate::example::{Example, Language};
use crate::header::{Header, Need, Stdin};
use crate::load::Load;
use crate::workspace;

/// Variables that a run must not see: it sees the environment it is meant for, and no other. Unbuffered, the words of a line go out one by one, and
/// ranks' lines are mixed.
pub const FOREIGN: [&str; 5] = [
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "PYTHONHOME",
    "PYTHONUNBUFFERED",
    "LD_PRELOAD",
];

/// The `--timeout` of every run.
const TIMEOUT: &str = "60s";
/// Past this `standoff` itself hangs. A check runs the program several times.
const BACKSTOP: Duration = Duration::from_secs(90);
const CHECK_BACKSTOP: Duration = Duration::from_secs(240);
/// How long a killed process may take to vanish after `standoff` has returned.
const REAPING: Duration = Duration::from_secs(2);
/// Every process of a run has this variable in its environment: it tells whose a leftover is.
const MARK: &str = "STANDOFF_TEST_RUN";

/// What a run gave, and what of it was wrong.
#[derive(Debug)]
pub struct Outcome {
    /// What it gave.
    pub seen: Observation,
    /// What was wrong with it; nothing is a pass.
    pub wrong: Vec<Mismatch>,
    /// How long it took.
    pub took: Duration,
    /// The command, for a person to repeat it.
    pub command: String,
}

impl Outcome {
    /// All a person needs to see why it failed.
    pub fn describe(&self) -> String {
        let mut text = String::new();
        for mismatch in &self.wrong {
            text += &format!("  {mismatch}\n");
        }
        text += &format!("command: {}\n", self.command);
        for (name, stream) in [
            ("standard output", &self.seen.stdout),
            ("standard error", &self.seen.stderr),
        ] {
            if !stream.is_empty() {
                text += &format!("--- {name}\n{}\n", stream.trim_end());
            }
        }
        text
    }
}

/// Runs an example and compares. An error is one of the test, not of the run.
pub fn run(example: &Example, environment: &Environment) -> Result<Outcome, String> {
    let header = header(example)?;
    let options = (header.expect == Verdict::Stalled).then_some("--stall-exit");
    let seen = execute(example, environment, "run", options, BACKSTOP)?;
    Ok(seen.outcome(|subject, seen| compare(header, subject, seen)))
}

/// Checks an example that says what `standoff check` must find, and compares. An error is one of the test, not of the check.
pub fn check(example: &Example, environment: &Environment) -> Result<Outcome, String> {
    let header = header(example)?;
    let check = header.check.as_ref().ok_or("it has no `check`")?;
    let budget = check.budget.as_deref().map(|b| ["--budget", b]);
    let options = budget.into_iter().flatten();
    let seen = execute(example, environment, "check", options, CHECK_BACKSTOP)?;
    Ok(seen.outcome(|subject, seen| compare_check(header, check, subject, seen)))
}

fn header(example: &Example) -> Result<&Header, String> {
    let header = example.header.as_ref();
    header.map_err(|e| format!("{}: {e}", example.source.display()))
}

/// A run that is over.
struct Run {
    file: String,
    family: String,
    seen: Observation,
    took: Duration,
    command: String,
}

impl Run {
    fn outcome(self, compare: impl FnOnce(Subject<'_>, &Observation) -> Vec<Mismatch>) -> Outcome {
        let subject = Subject {
            file: &self.file,
            family: &self.family,
        };
        Outcome {
            wrong: compare(subject, &self.seen),
            seen: self.seen,
            took: self.took,
            command: self.command,
        }
    }
}

fn execute<'o>(
    example: &Example,
    environment: &Environment,
    what: &str,
    options: impl IntoIterator<Item = &'o str>,
    backstop: Duration,
) -> Result<Run, String> {
    let header = header(example)?;
    let artifacts = Artifacts::get()?;
    let scratch = Scratch::new()?;
    let json = scratch.0.join("report.json");

    let mut command = Command::new(&artifacts.standoff);
    command.arg(what).arg("-n").arg(header.ranks.to_string());
    command
        .arg("--json")
        .arg(&json)
        .args(["--timeout", TIMEOUT])
        .args(options);
    match example.language {
        Language::Python => {
            command
                .arg("--python")
                .arg(environment.program("python"))
                .arg("--")
                .arg(&example.source);
        }
        _ => {
            let program = compile::program(example, environment, &cache(&artifacts.standoff))?;
            command.arg("--").arg(program);
        }
    }
    command.args(&header.args);
    command
        .env("PATH", environment.path())
        // A launcher of Open MPI that is killed leaves TMPDIR/ompi.PID behind, and the next one with that PID does not start.
        .env("TMPDIR", &scratch.0)
        .env("STANDOFF_PROBE", &artifacts.probe);
    if what == "check" {
        // The witness is written there.
        command.current_dir(&scratch.0);
    }
    for name in FOREIGN {
        command.env_remove(name);
    }
    // Where `standoff.comm` is; nothing of standoff is installed in the environment.
    command.env("PYTHONPATH", workspace().join("python"));

    let load = header
        .needs
        .contains(&Need::Load)
        .then(|| Load::start(busy_loops()));
    let (ended, took, left_over) = watch(&mut command, header, &scratch, backstop)?;
    drop(load);

    let seen = Observation {
        ended,
        stdout: scratch.text("stdout"),
        stderr: scratch.text("stderr"),
        report: read_report(&json),
        left_over,
    };
    let file = example
        .source
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    Ok(Run {
        file: file.into_owned(),
        family: environment.family().to_owned(),
        seen,
        took,
        command: shown(&command),
    })
}

/// One for each processor, so that everything else has to compete.
pub fn busy_loops() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

/// Compiled examples lie beside the binary's profile directory.
pub fn cache(standoff: &Path) -> PathBuf {
    standoff
        .ancestors()
        .nth(2)
        .map_or_else(|| workspace().join("target"), Path::to_owned)
        .join("testkit")
}

/// Starts it, waits for its end (or the backstop), and sees what is left of its job.
fn watch(
    command: &mut Command,
    header: &Header,
    scratch: &Scratch,
    backstop: Duration,
) -> Result<(Ended, Duration, Vec<String>), String> {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let mark = format!(
        "{}.{}",
        std::process::id(),
        RUNS.fetch_add(1, Ordering::Relaxed)
    );
    // Files and not pipes: a process left behind would hold a pipe open.
    command
        .env(MARK, &mark)
        .stdout(scratch.create("stdout")?)
        .stderr(scratch.create("stderr")?)
        .process_group(0);
    match &header.stdin {
        Stdin::Empty => command.stdin(Stdio::null()),
        Stdin::Open => command.stdin(Stdio::piped()),
        Stdin::Text(text) => {
            let path = scratch.0.join("stdin");
            std::fs::write(&path, text).map_err(|e| e.to_string())?;
            command.stdin(File::open(path).map_err(|e| e.to_string())?)
        }
    };

    let start = Instant::now();
    let mut child = command
        .spawn()
        .map_err(|e| format!("{}: {e}", command.get_program().display()))?;
    let pipe = child.stdin.take();
    let group = child.id();
    let ended = match wait(child, backstop) {
        Some(status) => ended(status?),
        None => {
            kill(-i64::from(group));
            Ended::Backstop
        }
    };
    let took = start.elapsed();
    drop(pipe);
    Ok((ended, took, left_over(&mark)))
}

/// The end of a process; `None` when the backstop was reached.
fn wait(mut child: Child, backstop: Duration) -> Option<Result<ExitStatus, String>> {
    let (sender, receiver) = mpsc::channel();
    // The thread outlives the backstop by as long as the process does: it reaps it.
    std::thread::spawn(move || sender.send(child.wait().map_err(|e| e.to_string())));
    receiver.recv_timeout(backstop).ok()
}

fn ended(status: ExitStatus) -> Ended {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ended::Status(code),
        (None, signal) => Ended::Signal(signal.unwrap_or(0)),
    }
}

/// Processes that carry the mark, after those already killed have had the time to vanish. Ends them, so that the next
/// run is not disturbed.
fn left_over(mark: &str) -> Vec<String> {
    let deadline = Instant::now() + REAPING;
    let found = loop {
        let found = marked(mark);
        if found.is_empty() || Instant::now() > deadline {
            break found;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    for &(pid, _) in &found {
        kill(pid);
    }
    found
        .into_iter()
        .map(|(pid, name)| format!("{name} (pid {pid})"))
        .collect()
}

/// Pid and command of each process with `STANDOFF_TEST_RUN=mark` in its environment.
fn marked(mark: &str) -> Vec<(i64, String)> {
    let wanted = format!("{MARK}={mark}");
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut found: Vec<(i64, String)> = entries
        .filter_map(|entry| {
            let pid: i64 = entry.file_name().to_str()?.parse().ok()?;
            let (environment, words) = environment_and_words(&entry.path())?;
            let ours = environment
                .split(|&byte| byte == 0)
                .any(|variable| variable == wanted.as_bytes());
            let words = String::from_utf8_lossy(&words);
            ours.then(|| (pid, words.trim_end_matches('\0').replace('\0', " ")))
        })
        .collect();
    found.sort();
    found
}

/// The environment and the command's words of a process, given its directory in /proc. None: it just ended, is another
/// user's, or the kernel's own.
fn environment_and_words(process: &Path) -> Option<(Vec<u8>, Vec<u8>)> {
    let words = || std::fs::read(process.join("cmdline")).ok();
    loop {
        let before = words()?;
        let environment = std::fs::read(process.join("environ")).ok()?;
        let after = words()?;
        // In the middle of execve a process has neither an environment nor words; an execve while the environment is read
        // cuts it short. What has ended, and a thread of the kernel, have no executable either.
        let in_execve = (before != after || (environment.is_empty() && after.is_empty()))
            && std::fs::read_link(process.join("exe")).is_ok();
        if !in_execve {
            return Some((environment, after));
        }
        std::thread::yield_now();
    }
}

/// Kills a process or, if negative, a group.
fn kill(pid: i64) {
    if let Ok(pid) = i32::try_from(pid) {
        // SAFETY: kill has no memory to get wrong; a process that is gone already is an error we need not know.
        unsafe { libc::kill(pid, libc::SIGKILL) };
    }
}

fn read_report(path: &Path) -> Result<Report, String> {
    let bytes = std::fs::read(path).map_err(|e| e.to_string())?;
    serde_json::from_slice(&bytes).map_err(|e| e.to_string())
}

/// The command as it can be typed, without what the environment holds.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

/// A directory that goes away with its value.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Scratch, String> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "standoff-test-{}-{}",
            std::process::id(),
            MADE.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(Scratch(path))
    }

    fn create(&self, name: &str) -> Result<File, String> {
        File::create(self.0.join(name)).map_err(|e| e.to_string())
    }

    fn text(&self, name: &str) -> String {
        let bytes = std::fs::read(self.0.join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed from the temporary directory stays there.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header::parse("# standoff: title: t\n# standoff: ranks: 1\n# standoff: expect: clean\n")
            .unwrap()
    }

    fn shell(script: &str) -> (Ended, Vec<String>, String) {
        let scratch = Scratch::new().unwrap();
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        let (ended, _, left_over) = watch(&mut command, &header(), &scratch, BACKSTOP).unwrap();
        (ended, left_over, scratch.text("stdout"))
    }

    #[test]
    fn tells_statuses_signals_and_output() {
        assert_eq!(
            shell("echo out; exit 99"),
            (Ended::Status(99), vec![], "out\n".into())
        );
        assert_eq!(shell("kill -KILL $$").0, Ended::Signal(9));
    }

    #[test]
    fn finds_and_ends_what_is_left_behind() {
        let (ended, left_over, _) = shell("setsid sleep 1000 & exit 0");
        assert_eq!(ended, Ended::Status(0));
        assert!(
            matches!(&left_over[..], [one] if one.contains("sleep 1000")),
            "{left_over:?}"
        );
    }
}
