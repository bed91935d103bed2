//! `check` and `replay`.

mod common;
#[path = "check/interrupted.rs"]
mod interrupted;

use std::process::ExitCode;

use common::{Ended, Lab};
use standoff_report::{Finding, FindingKind, Scope, Verdict};

fn main() -> ExitCode {
    common::main(&[
        ("half_cure", half_cure),
        ("cures", cures),
        ("ring_in_c", ring_in_c),
        ("isend_that_is_waited_for", isend_that_is_waited_for),
        ("bcast_that_may_wait", bcast_that_may_wait),
        ("wildcard_takes_the_other", wildcard_takes_the_other),
        (
            "wildcard_before_a_named_source",
            wildcard_before_a_named_source,
        ),
        ("wildcards_that_do_not_matter", wildcards_that_do_not_matter),
        (
            "control_flow_that_follows_the_message",
            control_flow_that_follows_the_message,
        ),
        ("farm_within_a_budget", farm_within_a_budget),
        ("no_rerun", no_rerun),
        ("replayed", replayed),
        ("deadlock_at_once", deadlock_at_once),
        ("status_of_its_own", status_of_its_own),
        ("bad_witness", bad_witness),
        ("recording_without_room", recording_without_room),
        (
            "interrupted_from_the_terminal",
            interrupted::from_the_terminal,
        ),
        ("interrupted_by_termination", interrupted::termination),
        ("interrupted_says_what_it_has", interrupted::what_it_has),
        (
            "hangup_that_is_ignored",
            interrupted::hangup_that_is_ignored,
        ),
    ])
}

/// Two ranks each send before they receive; `{exchange}` is what they do.
const PAIR: &str = "\
from mpi4py import MPI
comm = MPI.COMM_WORLD
peer = {1: 5, 5: 1}.get(comm.rank)
if peer is not None:
";
const BOTH_SEND: &str = "    comm.send('a', dest=peer)\n    got = comm.recv(source=peer)\n";
const SENDRECV: &str = "    got = comm.sendrecv('a', dest=peer, source=peer)\n";
const SWAPPED: &str = "    if comm.rank == 1:
        comm.send('a', dest=peer)
        got = comm.recv(source=peer)
    else:
        got = comm.recv(source=peer)
        comm.send('b', dest=peer)
";

fn check(lab: &Lab, ranks: &str, name: &str, program: &str) -> Ended {
    lab.file(name, program);
    lab.run(&["check", "-n", ranks, "--json", "report.json", name])
}

/// The one potential deadlock of the report: ranks of its core, and lines.
#[track_caller]
fn potential(lab: &Lab, confirmed: bool, core: &[u32]) -> Finding {
    let report = lab.report();
    assert_eq!(report.verdict, Verdict::PotentialDeadlock, "{report:#?}");
    let finding = report.findings[0].clone();
    assert_eq!(finding.kind, FindingKind::PotentialDeadlock);
    assert_eq!(finding.confirmed, confirmed, "{finding:#?}");
    let ranks: Vec<u32> = finding.core.iter().map(|e| e.rank).collect();
    assert_eq!(ranks, core, "{finding:#?}");
    finding
}

#[track_caller]
fn clean(lab: &Lab, ended: &Ended, scope: Scope) {
    let report = lab.report();
    assert_eq!(
        (ended.code, report.verdict, report.scope),
        (Some(0), Verdict::Clean, scope),
        "{ended:#?} {report:#?}"
    );
}

fn half_cure(lab: &Lab) {
    let ended = check(lab, "9", "half.py", &format!("{PAIR}{BOTH_SEND}"));
    ended.expect(
        98,
        &[
            "potential deadlock",
            "both send before they receive",
            "confirmed on the program",
            "half.py:5",
            "It passed because",
        ],
    );
    let finding = potential(lab, true, &[1, 5]);
    let lines: Vec<_> = finding.core.iter().map(|e| e.stack[0].line).collect();
    assert_eq!(lines, [Some(5), Some(5)]);
    assert_eq!(finding.core[0].call, "MPI_Send");
    // As measured: what MPICH and Open MPI buffer is some kilobytes.
    let words: Vec<&str> = finding.explanation.split_whitespace().collect();
    let limit = words
        .windows(3)
        .find(|w| w[0] == "about" && w[2] == "bytes");
    let limit = limit.expect("a measured size")[1].replace(',', "");
    let limit: u64 = limit.parse().unwrap();
    assert!((256..1 << 24).contains(&limit), "{finding:#?}");
}

fn cures(lab: &Lab) {
    for (name, cure) in [("sendrecv.py", SENDRECV), ("swapped.py", SWAPPED)] {
        let ended = check(lab, "9", name, &format!("{PAIR}{cure}"));
        clean(lab, &ended, Scope::AllExecutions);
    }
}

fn ring_in_c(lab: &Lab) {
    let source = lab.file(
        "ring.c",
        "\
#include <mpi.h>
int main(int argc, char **argv) {
    int rank, size, out = 7, in;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    for (int step = 0; step < 3; step++) {
        MPI_Send(&out, 1, MPI_INT, (rank + 1) % size, step, MPI_COMM_WORLD);
        MPI_Recv(&in, 1, MPI_INT, (rank + size - 1) % size, step, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
    MPI_Finalize();
    return 0;
}
",
    );
    let compiler = lab.environment.program("mpicc");
    let program = lab.compile(compiler.as_os_str(), &source, "ring");
    let program = program.to_str().unwrap();
    lab.run(&["check", "-n", "4", "--json", "report.json", program])
        .expect(
            98,
            &["potential deadlock", "ring.c:8", "confirmed on the program"],
        );
    let finding = potential(lab, true, &[0, 1, 2, 3]);
    assert!(
        finding.core.iter().all(|e| e.stack[0].line == Some(8)),
        "{finding:#?}"
    );
    assert_eq!(finding.cycle.len(), 4);
}

fn isend_that_is_waited_for(lab: &Lab) {
    let waits = "    request = comm.isend('a', dest=peer)\n    request.wait()\n    got = comm.recv(source=peer)\n";
    check(lab, "6", "waits.py", &format!("{PAIR}{waits}"))
        .expect(98, &["potential deadlock", "waits.py:6"]);
    potential(lab, true, &[1, 5]);
    let later = "    request = comm.isend('a', dest=peer)\n    got = comm.recv(source=peer)\n    request.wait()\n";
    let ended = check(lab, "6", "later.py", &format!("{PAIR}{later}"));
    clean(lab, &ended, Scope::AllExecutions);
}

/// The root of a broadcast may go on before the others come, or wait for them.
fn bcast_that_may_wait(lab: &Lab) {
    let program = "\
from mpi4py import MPI
import array
comm = MPI.COMM_WORLD
one = array.array('i', [1])
if comm.rank == 0:
    comm.Bcast(one, root=0)
    comm.Send(one, dest=1)
else:
    comm.Recv(one, source=0)
    comm.Bcast(one, root=0)
";
    check(lab, "2", "early.py", program)
        .expect(98, &["potential deadlock", "early.py:6", "early.py:9"]);
    potential(lab, true, &[0, 1]);
}

fn wildcard_takes_the_other(lab: &Lab) {
    let program = "\
import lab
from mpi4py import MPI
comm = MPI.COMM_WORLD
if comm.rank == 0:
    first = comm.recv(source=MPI.ANY_SOURCE, tag=1)
    lab.make('first')
    second = comm.recv(source=1, tag=1)
elif comm.rank == 1:
    lab.wait_for('first')
    comm.send('one', dest=0, tag=1)
else:
    comm.send('two', dest=0, tag=1)
";
    // The file is none of MPI's: rank 2 comes first in the recorded run, and rank 1 may in another.
    check(lab, "3", "first.py", program);
    let report = lab.report();
    let finding = &report.findings[0];
    assert_eq!(
        (report.verdict, finding.confirmed),
        (Verdict::PotentialDeadlock, true),
        "{report:#?}"
    );
    assert_eq!(finding.core[0].rank, 0);
    assert_eq!(finding.core[0].stack[0].line, Some(7));
    let said = finding.summary.as_deref().unwrap_or_default();
    assert!(
        said.starts_with("if rank 1's message arrives first at first.py:5, "),
        "{said}"
    );
    assert!(!finding.steps.is_empty() && finding.steps.len() <= 12);
}

fn wildcard_before_a_named_source(lab: &Lab) {
    let program = "\
import lab
from mpi4py import MPI
comm = MPI.COMM_WORLD
if comm.rank == 0:
    a = comm.recv(source=MPI.ANY_SOURCE)
    b = comm.recv(source=MPI.ANY_SOURCE)
    lab.make('both')
    c = comm.recv(source=1, tag=9)
elif comm.rank == 1:
    comm.send(1, dest=0)
    lab.wait_for('both')
    comm.send(2, dest=0, tag=9)
else:
    comm.send(3, dest=0)
";
    check(lab, "3", "named.py", program)
        .expect(98, &["potential deadlock", "named.py:8", "confirmed"]);
    potential(lab, true, &[0, 1]);
    // The tags keep them apart.
    let cured = program.replace("ANY_SOURCE)", "ANY_SOURCE, tag=0)");
    let ended = check(lab, "3", "cured.py", &cured);
    clean(lab, &ended, Scope::AllExecutions);
}

fn wildcards_that_do_not_matter(lab: &Lab) {
    let program = "\
from mpi4py import MPI
comm = MPI.COMM_WORLD
if comm.rank == 0:
    print(sum(comm.recv(source=MPI.ANY_SOURCE) for _ in range(1, comm.size)))
else:
    comm.send(comm.rank, dest=0)
comm.barrier()
";
    let ended = check(lab, "4", "sum.py", program);
    clean(lab, &ended, Scope::AllExecutions);
    assert_eq!(ended.out, "6\n");
}

/// What a rank receives decides what it does: only forced runs show it.
fn control_flow_that_follows_the_message(lab: &Lab) {
    let program = "\
import lab
from mpi4py import MPI
comm = MPI.COMM_WORLD
if comm.rank == 0:
    got = comm.recv(source=MPI.ANY_SOURCE)
    if got == 'urgent':
        comm.recv(source=2, tag=7)
    lab.make('first')
    comm.recv(source=MPI.ANY_SOURCE)
elif comm.rank == 1:
    comm.send('usual', dest=0)
else:
    lab.wait_for('first')
    comm.send('urgent', dest=0)
";
    check(lab, "3", "urgent.py", program).expect(98, &["potential deadlock", "urgent.py:7"]);
    potential(lab, true, &[0, 2]);
}

fn farm_within_a_budget(lab: &Lab) {
    let program = "\
from mpi4py import MPI
comm = MPI.COMM_WORLD
if comm.rank == 0:
    status, todo, busy, done = MPI.Status(), list(range(6)), 0, []
    for worker in range(1, comm.size):
        comm.send(todo.pop(), dest=worker)
        busy += 1
    while busy:
        done.append(comm.recv(source=MPI.ANY_SOURCE, status=status))
        if todo:
            comm.send(todo.pop(), dest=status.Get_source())
        else:
            comm.send(None, dest=status.Get_source())
            busy -= 1
    print(sorted(done))
else:
    while (job := comm.recv(source=0)) is not None:
        comm.send(job * job, dest=0)
";
    lab.file("farm.py", program);
    let ended = lab.run(&[
        "check",
        "-n",
        "3",
        "--budget",
        "runs=3,time=1m",
        "--json",
        "report.json",
        "farm.py",
    ]);
    clean(lab, &ended, Scope::Bounded);
    let bound = lab.report().bound.unwrap_or_default();
    assert!(bound.contains("not run (--budget)"), "{bound}");
    assert_eq!(ended.out, "[0, 1, 4, 9, 16, 25]\n");
}

fn no_rerun(lab: &Lab) {
    lab.file("half.py", &format!("{PAIR}{BOTH_SEND}"));
    lab.run(&[
        "check",
        "--no-rerun",
        "-n",
        "6",
        "--json",
        "report.json",
        "half.py",
    ])
    .expect(98, &["potential deadlock", "(--no-rerun)"]);
    potential(lab, false, &[1, 5]);
}

fn replayed(lab: &Lab) {
    check(lab, "6", "half.py", &format!("{PAIR}{BOTH_SEND}"));
    let witness = potential(lab, true, &[1, 5]).witness.unwrap();
    lab.run(&["replay", &witness, "-n", "6", "half.py"])
        .expect(99, &["deadlock on this MPI", "half.py:5"]);
    lab.file("cured.py", &format!("{PAIR}{SENDRECV}"));
    lab.run(&["replay", &witness, "-n", "6", "cured.py"])
        .expect(0, &["the witness did not lead to its deadlock"]);
}

fn deadlock_at_once(lab: &Lab) {
    let program =
        format!("{PAIR}    got = comm.recv(source=peer)\n    comm.send('a', dest=peer)\n");
    check(lab, "6", "now.py", &program).expect(99, &["standoff: deadlock: ranks 1 and 5"]);
    assert_eq!(lab.report().verdict, Verdict::Deadlock);
}

fn status_of_its_own(lab: &Lab) {
    let program = format!("{PAIR}{BOTH_SEND}MPI.Finalize()\nraise SystemExit(3)\n");
    let ended = check(lab, "6", "three.py", &program);
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    potential(lab, true, &[1, 5]);
}

fn bad_witness(lab: &Lab) {
    lab.file("half.py", &format!("{PAIR}{BOTH_SEND}"));
    lab.run(&["replay", "nowhere.json", "-n", "2", "half.py"])
        .broken(&["nowhere.json"]);
    lab.file("other.json", "{\"schema\": \"standoff-report/1\"}");
    lab.run(&["replay", "other.json", "-n", "2", "half.py"])
        .broken(&["other.json"]);
}

/// The temporary directory cannot be written: a word, and no half result.
fn recording_without_room(lab: &Lab) {
    lab.file("half.py", &format!("{PAIR}{BOTH_SEND}"));
    let mut command = lab.standoff(&["check", "-n", "2", "half.py"]);
    command.env("TMPDIR", lab.path("missing"));
    lab.finish(command)
        .broken(&["cannot make a directory for the recording"]);
}
