//! The modules for programs: `standoff.comm` and the crate `standoff-comm`. That their results are right, from 2 to 8 ranks; that they need nothing
//! of standoff. (That each function is free of deadlocks is what `check` says of the examples that use it.)

mod common;

use std::path::PathBuf;
use std::process::ExitCode;

use common::{Lab, Test};
use standoff_testkit::artifacts::Artifacts;
use standoff_testkit::example::{Example, Language};
use standoff_testkit::{compile, execute, workspace};

fn main() -> ExitCode {
    let tests: &[Test] = &[
        ("python_values", python_values),
        ("python_watched", python_watched),
        ("python_one_file", python_one_file),
    ];
    let rust: &[Test] = &[("rust_values", rust_values)];
    common::main_lacking(tests, rust, |environment| {
        compile::lacks(Language::Rust, environment)
    })
}

/// An example.
fn example(language: Language) -> Example {
    let mut all = Example::all().into_iter();
    all.find(|e| e.language == language && e.name == "comm_values")
        .unwrap()
}

/// The package as it lies in the tree: nothing is installed, so there is neither binary nor probe.
fn package() -> PathBuf {
    workspace().join("python")
}

/// A program by the MPI's own launcher, without standoff, with each number of ranks.
fn by_itself(lab: &Lab, program: &[PathBuf]) {
    for ranks in 2..=8 {
        let mut command = lab.command(lab.environment.program("mpiexec"));
        command.env("PYTHONPATH", package());
        command.args(["-n", &ranks.to_string()]).args(program);
        let ended = lab.finish(command);
        assert_eq!(ended.code, Some(0), "{ranks} ranks: {ended:#?}");
        assert_eq!(ended.out, "all values are right\n", "{ranks} ranks");
    }
}

fn python_values(lab: &Lab) {
    let python = lab.environment.program("python");
    by_itself(lab, &[python, example(Language::Python).source]);
}

fn rust_values(lab: &Lab) {
    let cache = execute::cache(&Artifacts::get().unwrap().standoff);
    let program = compile::program(&example(Language::Rust), &lab.environment, &cache);
    by_itself(lab, &[program.unwrap()]);
}

fn python_watched(lab: &Lab) {
    let source = example(Language::Python).source;
    let mut command = lab.standoff(&["run", "-n", "3", source.to_str().unwrap()]);
    command.env("PYTHONPATH", package());
    let ended = lab.finish(command);
    ended.expect(0, &["standoff: clean: 3 ranks"]);
    assert_eq!(ended.out, "all values are right\n");
}

/// The file alone, under another name; and a deadline with which a program ends well.
fn python_one_file(lab: &Lab) {
    let module = std::fs::read_to_string(package().join("standoff/comm.py")).unwrap();
    lab.file("unhurried.py", &module);
    lab.file(
        "ends.py",
        "\
from mpi4py import MPI
from unhurried import recv
comm = MPI.COMM_WORLD
try:
    recv(comm, source=1 - comm.rank, deadline=0.01)
except TimeoutError as late:
    print(late, flush=True)
",
    );
    let mut command = lab.command(lab.environment.program("mpiexec"));
    command.args(["-n", "2"]);
    command
        .arg(lab.environment.program("python"))
        .arg("ends.py");
    let ended = lab.finish(command);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let mut lines: Vec<&str> = ended.out.lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "rank 0 got no message from rank 1 (any tag) within 0.01 s",
            "rank 1 got no message from rank 0 (any tag) within 0.01 s"
        ]
    );
}
