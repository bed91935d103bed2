//! Other Pythons than the one that all else is tested with: lines, counts of places, and how ranks ended.
//!
//! `STANDOFF_TEST_PYTHONS=DIR,DIR` names environments (`bin/python` with mpi4py, `bin/mpiexec`), as `scripts/environment DIR mpich mpi4py` makes them
//! with `PYTHON=python3.12`, say. Not set, they are `.envs/python-*`. Without any there is one ignored test that says so.

mod common;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use common::Lab;
use libtest_mimic::{Arguments, Trial};
use standoff_testkit::environment::Environment;
use standoff_testkit::workspace;

type Test = (&'static str, fn(&Lab));

const TESTS: [Test; 4] = [
    ("opening", opening),
    ("ends", ends),
    ("places", places),
    ("stacks", stacks),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for root in environments() {
        let version = version(&root);
        for (name, test) in TESTS {
            let environment = Environment {
                name: "mpich".to_owned(),
                root: root.clone(),
            };
            trials.push(Trial::test(format!("{version}::{name}"), move || {
                test(&Lab::new(environment));
                Ok(())
            }));
        }
    }
    if trials.is_empty() {
        let none = Trial::test("no other Python (see STANDOFF_TEST_PYTHONS)", || Ok(()));
        trials.push(none.with_ignored_flag(true));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn environments() -> Vec<PathBuf> {
    let base = workspace();
    if let Ok(list) = std::env::var("STANDOFF_TEST_PYTHONS") {
        let named = list.split(',').filter(|name| !name.is_empty());
        return named.map(|name| base.join(name)).collect();
    }
    let entries = std::fs::read_dir(base.join(".envs")).into_iter().flatten();
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .filter(|e| e.file_name().to_string_lossy().starts_with("python-"))
        .map(|e| e.path())
        .collect();
    found.sort();
    found
}

/// `Python 3.12`; of one that does not run, its directory, and its tests fail.
fn version(root: &Path) -> String {
    let mut command = std::process::Command::new(root.join("bin/python"));
    let code = "import sys; print('Python %d.%d' % sys.version_info[:2])";
    let said = command.args(["-c", code]).output();
    match said {
        Ok(said) if said.status.success() => String::from_utf8_lossy(&said.stdout).trim().into(),
        _ => root.display().to_string(),
    }
}

/// The opening example, with its lines, and its cures.
fn opening(lab: &Lab) {
    let examples = workspace().join("examples/python");
    for (name, code) in [
        ("opening", 99),
        ("opening_swapped", 0),
        ("opening_sendrecv", 0),
    ] {
        let program = examples.join(name).with_extension("py");
        let program = program.to_str().unwrap();
        let ended = lab.run(&["run", "-n", "9", "--json", "report.json", program]);
        ended.expect(code, &["standoff: "]);
        if code == 99 {
            let report = lab.report();
            let core = &report.findings[0].core;
            let at: Vec<_> = core.iter().map(|e| (e.rank, e.stack[0].line)).collect();
            assert_eq!(at, [(1, Some(12)), (5, Some(14))], "{ended:#?}");
            assert_eq!(core[0].user_call.as_deref(), Some("comm.recv"));
        }
    }
}

/// Exceptions with their traceback, and every way to say `SystemExit`.
fn ends(lab: &Lab) {
    let program = "\
import sys
from mpi4py import MPI
comm = MPI.COMM_WORLD
def leave():
    WAY
if comm.rank == 1:
    leave()
else:
    comm.barrier()
";
    for (way, words) in [
        ("return {}['steps']", "which raised KeyError: 'steps'"),
        ("sys.exit(3)", "which called sys.exit(3)"),
        ("raise SystemExit(3)", "which raised SystemExit(3)"),
        ("exit(3)", "which raised SystemExit(3)"),
        ("return", "which finished"),
    ] {
        lab.file("leaves.py", &program.replace("WAY", way));
        let ended = lab.run(&["run", "-n", "3", "--json", "report.json", "leaves.py"]);
        ended.expect(99, &[words]);
        let line = (way != "return").then_some(5);
        let report = lab.report();
        let cause = &report.findings[0].causes[0];
        let at = cause.stack.first().and_then(|f| f.line);
        assert_eq!((cause.rank, at), (1, line), "{ended:#?}");
        assert_eq!(
            ended.err.contains("Traceback"),
            way.contains("steps"),
            "{ended:#?}"
        );
    }
    let caught = "try: exit(3)\n    except SystemExit: pass\n    raise ValueError('grid')";
    lab.file("leaves.py", &program.replace("WAY", caught));
    lab.run(&["run", "-n", "3", "leaves.py"])
        .expect(99, &["which raised ValueError: grid", "leaves.py:7"]);
}

/// How often each rank passed a place, which is read from the interpreter's frames.
fn places(lab: &Lab) {
    let program = "\
from mpi4py import MPI
comm = MPI.COMM_WORLD
def step(k):
    return comm.allreduce(k)
for k in range(6 if comm.rank == 2 else 9):
    step(k)
";
    lab.file("loop.py", program);
    lab.run(&["run", "-n", "3", "loop.py"]).expect(
        99,
        &["for the 7th time; rank 2 was there 6 times", "loop.py:4"],
    );
}

/// Functions, generators and comprehensions.
fn stacks(lab: &Lab) {
    let program = "\
from mpi4py import MPI
comm = MPI.COMM_WORLD
class Solver:
    def residuals(self):
        for k in range(3):
            yield comm.recv(source=1 - comm.rank)
    def solve(self):
        return [r for r in self.residuals()]
Solver().solve()
";
    lab.file("solver.py", program);
    let ended = lab.run(&["run", "-n", "2", "--json", "report.json", "solver.py"]);
    ended.expect(99, &["called from", "solver.py:9"]);
    let report = lab.report();
    let stack = &report.findings[0].core[0].stack;
    let lines: Vec<_> = stack.iter().map(|f| f.line.unwrap()).collect();
    // 3.12 runs a comprehension in the function that it stands in.
    assert!(lines == [6, 8, 9] || lines == [6, 8, 8, 9], "{ended:#?}");
    assert_eq!(stack[0].function.as_deref(), Some("residuals"));
}
