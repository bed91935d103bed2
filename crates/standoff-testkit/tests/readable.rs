//! Whether a person can read what is said: the same only once, communicators told apart, results shown elsewhere, launchers of another MPI.

mod common;

use std::process::ExitCode;

use common::{DEADLOCK, Ended, GOOD, Lab};
use standoff_report::{FindingKind, Verdict};
use standoff_testkit::environment::Environment;

fn main() -> ExitCode {
    common::main(&[
        (
            "same_deadlock_on_several_ranks",
            same_deadlock_on_several_ranks,
        ),
        ("communicators_of_one_name", communicators_of_one_name),
        ("stall_is_only_likely", stall_is_only_likely),
        (
            "result_shown_in_another_directory",
            result_shown_in_another_directory,
        ),
        ("launcher_of_another_mpi", launcher_of_another_mpi),
        ("exit_of_an_ended_job", exit_of_an_ended_job),
        ("long_errors", long_errors),
    ])
}

/// Checks the exit status and that standard error holds all these, wherever its lines end.
#[track_caller]
fn expect(ended: &Ended, code: i32, words: &[&str]) {
    let said = ended.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(ended.code, Some(code), "{ended:#?}");
    for word in words {
        assert!(said.contains(word), "no `{word}` in {ended:#?}");
    }
}

/// Three ranks each wait for a message of their own.
const FROM_ITSELF: &str = "\
from mpi4py import MPI
comm = MPI.COMM_WORLD
comm.Barrier()
if comm.rank < 3:
    comm.recv(source=comm.rank)
";

fn same_deadlock_on_several_ranks(lab: &Lab) {
    lab.file("itself.py", FROM_ITSELF);
    let ended = lab.run(&["run", "-n", "4", "--json", "report.json", "itself.py"]);
    expect(
        &ended,
        99,
        &["deadlock: rank 0 waits for itself; the same on ranks 1 and 2"],
    );
    for words in [
        "--> itself.py:5",
        "\n  the same on ranks 1 and 2\n",
        "help: ",
    ] {
        assert_eq!(ended.err.matches(words).count(), 1, "{words}: {ended:#?}");
    }
    // The report keeps them apart.
    assert_eq!(lab.report().findings.len(), 3);
}

/// Sums along rows and columns of a grid, in different orders.
const GRID: &str = "\
from mpi4py import MPI
world = MPI.COMM_WORLD
row = world.Split(world.rank // 2, world.rank)
column = world.Split(world.rank % 2, world.rank)
first, second = (row, column) if world.rank in (0, 3) else (column, row)
first.Barrier()
second.Barrier()
";

fn communicators_of_one_name(lab: &Lab) {
    lab.file("grid.py", GRID);
    let ended = lab.run(&["run", "-n", "4", "--json", "report.json", "grid.py"]);
    expect(
        &ended,
        99,
        &[
            "all 4 ranks wait for each other in a ring",
            "in collectives of different communicators",
        ],
    );
    let comms: Vec<_> = lab.report().findings[0]
        .core
        .iter()
        .map(|e| e.comm.clone().unwrap())
        .collect();
    let split = |members: &str| format!("split of MPI_COMM_WORLD (ranks {members})");
    assert_eq!(
        comms,
        [
            split("0 and 1"),
            split("1 and 3"),
            split("0 and 2"),
            split("2 and 3")
        ]
    );
    let advice = &lab.report().findings[0].advice;
    assert_eq!(advice.len(), 1, "{advice:#?}");
    assert!(
        advice[0].starts_with("Ranks 0–3 are still in an earlier collective"),
        "{advice:#?}"
    );
}

fn stall_is_only_likely(lab: &Lab) {
    lab.file(
        "polls.py",
        "from mpi4py import MPI\ncomm = MPI.COMM_WORLD\nwhile comm.rank == 0 and not comm.iprobe(source=1): pass\n",
    );
    let args = [
        "run",
        "-n",
        "2",
        "--stall-exit",
        "--json",
        "report.json",
        "polls.py",
    ];
    let ended = lab.run(&args);
    expect(
        &ended,
        97,
        &[
            "stalled: rank 0 seems stuck: it only polls",
            "This is likely, not proven",
            "note: for 5 s rank 0 got nothing",
        ],
    );
    let report = lab.report();
    assert_eq!(
        (report.verdict, report.findings[0].confirmed),
        (Verdict::Stalled, false)
    );
    assert!(
        report.findings[0]
            .explanation
            .starts_with("This is likely, not proven")
    );
}

fn result_shown_in_another_directory(lab: &Lab) {
    lab.file("deadlock.py", DEADLOCK);
    lab.run(&["run", "-n", "2", "--json", "report.json", "deadlock.py"])
        .expect(99, &[]);
    std::fs::create_dir(lab.path("elsewhere")).unwrap();
    // Not the file of that name which lies here.
    std::fs::write(lab.path("elsewhere/deadlock.py"), "another\n".repeat(9)).unwrap();
    let mut command = lab.standoff(&["report", "../report.json"]);
    command.current_dir(lab.path("elsewhere"));
    let ended = lab.finish(command);
    assert!(
        ended.out.contains("4 │ got = comm.recv(source=other)"),
        "{ended:#?}"
    );
    assert!(!ended.out.contains("another"), "{ended:#?}");
}

fn launcher_of_another_mpi(lab: &Lab) {
    let other = Environment::wanted()
        .into_iter()
        .find(|other| other.family() != lab.environment.family() && other.missing().is_none());
    let Some(other) = other else {
        eprintln!("no other MPI is there");
        return;
    };
    let launcher = other.program("mpiexec").display().to_string();
    let python = lab.environment.program("python").display().to_string();
    let run = |name: &str, program: &str| {
        lab.file(name, program);
        lab.run(&[
            "run",
            "--json",
            "report.json",
            &launcher,
            "-n",
            "2",
            &python,
            name,
        ])
    };
    let said = "is the launcher of";
    // Whatever comes of it: if it fails before MPI is there, the launcher may be why.
    let ended = run("fails.py", "import sys\nsys.exit(3)\n");
    expect(&ended, 3, &[said, "that may be why it failed"]);
    assert!(lab.report().notes.iter().any(|note| note.contains(said)));
    // A program that does not fail hears nothing of this.
    let ended = run("passes.py", "print('hello')\n");
    assert!(
        ended.code == Some(0) && !ended.err.contains(said),
        "{ended:#?}"
    );
    // And the own launcher is not the reason.
    let own = lab.environment.program("mpiexec").display().to_string();
    let ended = lab.run(&["run", &own, "-n", "2", &python, "fails.py"]);
    assert!(
        ended.code == Some(3) && !ended.err.contains(said),
        "{ended:#?}"
    );
}

fn exit_of_an_ended_job(lab: &Lab) {
    lab.file("deadlock.py", DEADLOCK);
    lab.run(&["run", "-n", "2", "--json", "report.json", "deadlock.py"])
        .expect(99, &[]);
    let exit = lab.report().exit;
    assert!(
        exit.by_standoff && (exit.code, exit.signal) != (None, None),
        "{exit:?}"
    );
    lab.file(
        "sleeps.py",
        "import time\nfrom mpi4py import MPI\ntime.sleep(60)\n",
    );
    let args = [
        "run",
        "-n",
        "2",
        "--timeout",
        "4s",
        "--json",
        "report.json",
        "sleeps.py",
    ];
    lab.run(&args).expect(124, &[]);
    let report = lab.report();
    assert_eq!(report.findings[0].kind, FindingKind::Timeout);
    assert!(report.exit.by_standoff && (report.exit.code, report.exit.signal) != (None, None));
    lab.file("good.py", GOOD);
    lab.run(&["run", "-n", "2", "--json", "report.json", "good.py"])
        .expect(0, &[]);
    let exit = lab.report().exit;
    assert_eq!((exit.code, exit.by_standoff), (Some(0), false));
}

fn long_errors(lab: &Lab) {
    lab.file("good.py", GOOD);
    let long = format!("{}x.json", "no/such/directory/".repeat(6));
    let ended = lab.run(&["run", "-n", "2", "--json", &long, "good.py"]);
    ended.broken(&["No such file or directory", &long]);
    assert!(!ended.err.contains(".standoff-"), "{ended:#?}");
    let doctor = lab.run(&["doctor"]);
    for line in ended.err.lines().chain(doctor.out.lines()) {
        // Only a path, which is in one piece, goes beyond.
        let fits = line.chars().count() <= 80 || line.trim().split(' ').count() == 1;
        assert!(fits, "{line}");
    }
}
