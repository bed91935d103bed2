//! A directory to run programs of a test in, and `standoff` in it.

#![allow(dead_code)]

pub mod terminal;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Trial};
use standoff_report::Report;
use standoff_testkit::artifacts::Artifacts;
use standoff_testkit::environment::Environment;
use standoff_testkit::in_ci;

/// Reaching it is a failure: nothing here takes that long.
const BACKSTOP: Duration = Duration::from_secs(180);
/// In the environment of every process of a test.
const MARK: &str = "STANDOFF_TEST_RUN";

/// A test: its name and what it does.
pub type Test = (&'static str, fn(&Lab));

/// Runs each test on each MPI library.
pub fn main(tests: &[Test]) -> ExitCode {
    main_lacking(tests, &[], |_| None)
}

/// The same, with tests that want something more of an environment, and what it lacks of that: without it they are ignored, or fail
/// where all is to be there.
pub fn main_lacking(
    tests: &[Test],
    wanting: &[Test],
    lacks: fn(&Environment) -> Option<String>,
) -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(2);
    let mut trials = Vec::new();
    for environment in Environment::wanted() {
        if environment.without_python() {
            continue;
        }
        let missing = environment.missing().is_some();
        let lack = match wanting {
            [] => None,
            _ => lacks(&environment),
        };
        let all = tests.iter().map(|&test| (test, None));
        for ((name, test), lack) in all.chain(wanting.iter().map(|&test| (test, lack.clone()))) {
            let environment = environment.clone();
            let full = format!("{}::{name}", environment.name);
            let lacking = missing || lack.is_some();
            let trial = Trial::test(full, move || {
                if let Some(lack) = lack {
                    return Err(lack.into());
                }
                test(&Lab::new(environment));
                Ok(())
            });
            trials.push(trial.with_ignored_flag(lacking && !in_ci()));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Waits until standoff has opened the boards of all ranks, and for files. For the programs of the tests.
const HELPER: &str = r#"
import os, time
def watched(comm):
    session = os.environ["STANDOFF_SESSION"]
    fds = "/proc/%s/fd/" % open(session + "/owner").read().split()[0]
    def target(fd):
        try: return os.readlink(fds + fd)
        except OSError: return ""
    while True:
        links = {target(fd) for fd in os.listdir(fds)}
        if sum(l.startswith(session) and l.endswith(".board") for l in links) == comm.size: return
        time.sleep(0.001)
def wait_for(path):
    while not os.path.exists(path): time.sleep(0.001)
def make(path):
    with open(path + ".new", "w"): pass
    os.rename(path + ".new", path)
"#;

/// Two ranks that each receive first.
pub const DEADLOCK: &str = "\
from mpi4py import MPI
comm = MPI.COMM_WORLD
other = 1 - comm.rank
got = comm.recv(source=other)
";

/// A program that has nothing wrong.
pub const GOOD: &str = "\
import sys
from mpi4py import MPI
comm = MPI.COMM_WORLD
ranks = comm.reduce(1, root=0)
if comm.rank == 0: print('ranks', ranks, *sys.argv[1:], flush=True)
";

/// A place for one test on one MPI library.
pub struct Lab {
    /// The library.
    pub environment: Environment,
    dir: PathBuf,
    mark: String,
}

/// How a run ended and what it said.
#[derive(Debug)]
pub struct Ended {
    /// Exit status; `None`: by a signal.
    pub code: Option<i32>,
    /// The signal.
    pub signal: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Lab {
    /// One for a test on this library.
    pub fn new(environment: Environment) -> Lab {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let mark = format!(
            "lab-{}.{}",
            std::process::id(),
            MADE.fetch_add(1, Ordering::Relaxed)
        );
        let dir = std::env::temp_dir().join(format!("standoff-{mark}"));
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("lab.py"), HELPER).unwrap();
        Lab {
            environment,
            dir,
            mark,
        }
    }

    /// Whether this is Open MPI.
    pub fn openmpi(&self) -> bool {
        self.environment.family() == "openmpi"
    }

    /// A file of the test.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Writes a file.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Writes a file that can be executed.
    pub fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.file(name, text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// Compiles with the library's compiler, or the system's.
    pub fn compile(&self, compiler: &OsStr, source: &Path, program: &str) -> PathBuf {
        let path = self.path(program);
        let done = self
            .command(compiler)
            .arg("-g")
            .arg(source)
            .arg("-o")
            .arg(&path)
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
        path
    }

    /// A command in the directory and environment of the test, without input, its output into files.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let artifacts = Artifacts::get().unwrap();
        let mut command = Command::new(program);
        // Not among what other launchers left behind.
        let scratch = self.dir.join("tmp");
        std::fs::create_dir_all(&scratch).unwrap();
        command
            .current_dir(&self.dir)
            .env("TMPDIR", scratch)
            .env("PATH", self.environment.path())
            .env("STANDOFF_PROBE", &artifacts.probe)
            .env(MARK, &self.mark)
            .env("OMPI_ALLOW_RUN_AS_ROOT", "1")
            .env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")
            .env("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe")
            .env("PYTHONPATH", &self.dir)
            .stdin(Stdio::null());
        for name in standoff_testkit::execute::FOREIGN {
            command.env_remove(name);
        }
        command
    }

    /// The command `standoff`.
    pub fn standoff(&self, args: &[&str]) -> Command {
        let mut command = self.command(&Artifacts::get().unwrap().standoff);
        command.args(args);
        command
    }

    /// `standoff` with these arguments, to its end.
    pub fn run(&self, args: &[&str]) -> Ended {
        self.finish(self.standoff(args))
    }

    /// A command to its end.
    pub fn finish(&self, mut command: Command) -> Ended {
        let child = self.start(&mut command);
        self.end(child)
    }

    /// Starts a command, with its output in files, where nobody left behind holds up the test.
    pub fn start(&self, command: &mut Command) -> Child {
        command
            .stdout(File::create(self.path("stdout")).unwrap())
            .stderr(File::create(self.path("stderr")).unwrap())
            .spawn()
            .unwrap()
    }

    /// What it said so far.
    pub fn said(&self) -> (String, String) {
        let text = |name| {
            String::from_utf8_lossy(&fs::read(self.path(name)).unwrap_or_default()).into_owned()
        };
        (text("stdout"), text("stderr"))
    }

    /// Waits for its end, under the backstop, and checks that nobody of the job is left.
    pub fn end(&self, mut child: Child) -> Ended {
        let mut status = None;
        self.until("its end", || {
            status = child.try_wait().unwrap();
            status.is_some()
        });
        self.until("the end of all processes", || self.processes().is_empty());
        let status = status.unwrap();
        let (out, err) = self.said();
        Ended {
            code: status.code(),
            signal: status.signal(),
            out,
            err,
        }
    }

    /// Waits until something holds. Only the backstop depends on time.
    pub fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let deadline = Instant::now() + BACKSTOP;
        while !holds() {
            if Instant::now() > deadline {
                let left = self.processes();
                panic!("waited in vain for {what}; {left:?}\n{:?}", self.said());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for a file.
    pub fn until_there(&self, name: &str) {
        self.until(name, || self.path(name).exists());
    }

    /// The processes of this test, with their commands.
    pub fn processes(&self) -> Vec<(i32, String)> {
        let wanted = format!("{MARK}={}", self.mark);
        let entries = fs::read_dir("/proc").unwrap().flatten();
        let of = |path: PathBuf| {
            let pid = path.file_name()?.to_str()?.parse().ok()?;
            let environment = fs::read(path.join("environ")).ok()?;
            let mut variables = environment.split(|&byte| byte == 0);
            let words = fs::read(path.join("cmdline")).ok()?;
            let ours = variables.any(|v| v == wanted.as_bytes());
            ours.then(|| (pid, String::from_utf8_lossy(&words).replace('\0', " ")))
        };
        entries.filter_map(|entry| of(entry.path())).collect()
    }

    /// The report of `--json report.json`.
    pub fn report(&self) -> Report {
        let bytes = fs::read(self.path("report.json")).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for (pid, _) in self.processes() {
            signal(pid, libc::SIGKILL);
        }
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Sends a signal.
pub fn signal(pid: i32, signal: i32) {
    // SAFETY: kill has no memory to get wrong.
    unsafe { libc::kill(pid, signal) };
}

impl Ended {
    /// Checks the exit status and that standard error holds all these, wherever its lines are wrapped (paths have any length).
    #[track_caller]
    pub fn expect(&self, code: i32, words: &[&str]) -> &Ended {
        let unwrapped = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(self.code, Some(code), "{self:#?}");
        let said = unwrapped(&self.err);
        for word in words {
            assert!(said.contains(&unwrapped(word)), "no `{word}` in {self:#?}");
        }
        self
    }

    /// Checks that an error of standoff was said, and nothing was started.
    #[track_caller]
    pub fn broken(&self, words: &[&str]) {
        self.expect(96, &["standoff: error: ", "help: "])
            .expect(96, words);
        assert_eq!(self.out, "", "{self:#?}");
    }
}

/// Session directories of a process that are still there.
pub fn sessions_of(pid: u32) -> usize {
    let name = format!("standoff-{pid}-");
    let bases = [PathBuf::from("/dev/shm"), std::env::temp_dir()];
    let entries = bases.iter().filter_map(|base| fs::read_dir(base).ok());
    let names = entries.flatten().flatten().map(|entry| entry.file_name());
    names
        .filter(|n| n.to_string_lossy().starts_with(&name))
        .count()
}

pub fn told_once(ended: &Ended, words: &str) {
    assert_eq!(ended.err.matches(words).count(), 1, "{ended:#?}");
}
