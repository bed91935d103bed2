//! What `check` makes the program do in a forced run: the find is confirmed, the data that the program gets is what it always gets, and a cured twin
//! stays clean.

mod common;

use std::process::ExitCode;

use common::{Ended, Lab};
use standoff_report::{Finding, FindingKind, Scope, Verdict};

fn main() -> ExitCode {
    common::main(&[
        ("sendrecv", sendrecv),
        ("sendrecv_replace", sendrecv_replace),
        ("sendrecv_of_objects", sendrecv_of_objects),
        ("persistent_send", persistent_send),
        ("isend_of_arrays", isend_of_arrays),
        ("large_send_that_is_buffered", large_send_that_is_buffered),
        ("waitany", waitany),
        ("waitsome", waitsome),
        ("testany", testany),
        ("test_that_finds_nothing_yet", test_that_finds_nothing_yet),
        ("iprobe_that_finds_something", iprobe_that_finds_something),
        ("ibcast_that_waits", ibcast_that_waits),
        ("bcast_root_leaves", bcast_root_leaves),
        ("scatter_root_leaves", scatter_root_leaves),
        ("gather_leaf_leaves", gather_leaf_leaves),
        ("gatherv_leaf_leaves", gatherv_leaf_leaves),
        ("reduce_leaf_leaves", reduce_leaf_leaves),
        ("mismatch_is_not_forced", mismatch_is_not_forced),
    ])
}

/// For the programs: arrays, and what a rank has got so far.
const HEAD: &str = "\
import array, os, sys, lab
from mpi4py import MPI
comm = MPI.COMM_WORLD
def ints(*values): return array.array('i', values)
def got(*values): print('rank', comm.rank, 'got', *values, file=sys.stderr, flush=True)
";

fn check(lab: &Lab, ranks: &str, name: &str, program: &str) -> Ended {
    lab.file(name, &format!("{HEAD}{program}"));
    lab.run(&["check", "-n", ranks, "--json", "report.json", name])
}

/// The program can deadlock, with these ranks in the core, which is confirmed; replayed, each rank gets this.
#[track_caller]
fn confirmed(lab: &Lab, ranks: &str, program: &str, core: &[u32], got: &[&str]) -> Finding {
    let ended = check(lab, ranks, "found.py", program);
    let report = lab.report();
    assert_eq!(
        (ended.code, report.verdict),
        (Some(98), Verdict::PotentialDeadlock),
        "{ended:#?} {report:#?}"
    );
    let finding = report.findings[0].clone();
    assert_eq!(finding.kind, FindingKind::PotentialDeadlock);
    assert!(finding.confirmed, "{finding:#?}");
    let of: Vec<u32> = finding.core.iter().map(|e| e.rank).collect();
    assert_eq!(of, core, "{finding:#?}");
    let witness = finding.witness.clone().unwrap();
    let ended = lab.run(&["replay", &witness, "-n", ranks, "found.py"]);
    ended.expect(99, got);
    finding
}

#[track_caller]
fn clean(lab: &Lab, ranks: &str, program: &str, scope: Scope) {
    let ended = check(lab, ranks, "cured.py", program);
    let report = lab.report();
    assert_eq!(
        (ended.code, report.verdict, report.scope),
        (Some(0), Verdict::Clean, scope),
        "{ended:#?} {report:#?}"
    );
}

/// `swap(values)` sends them to rank 1 and returns what it gets from there, `give(values)` at least sends. First a swap is done in peace; then what
/// rank 0 gives must be buffered, or nobody goes on, if rank 1 receives from rank 2 first.
fn ring(swap: &str, both: bool, first: u32) -> String {
    let send = if both {
        "    comm.Send(ints(30, 31), dest=0)\n"
    } else {
        ""
    };
    format!(
        "\
{swap}
a = ints(0, 0)
if comm.rank == 0:
    got(swap(ints(1, 2)))
    give(ints(10, 11))
    comm.Send(ints(20, 21), dest=2)
elif comm.rank == 1:
    comm.Recv(a, source=0)
    got(a.tolist())
    comm.Send(ints(3, 4), dest=0)
{send}    comm.Recv(a, source={first})
    got(a.tolist())
    comm.Recv(a, source={})
    got(a.tolist())
else:
    comm.Recv(a, source=0)
    got(a.tolist())
    comm.Send(ints(40, 41), dest=1)
",
        2 - first
    )
}

/// The ring with this exchange, and its cure. `call`: where rank 0 waits.
#[track_caller]
fn in_a_ring(lab: &Lab, swap: &str, both: bool, call: &str) {
    let data = ["rank 0 got [3, 4]\n", "rank 1 got [1, 2]\n"];
    let finding = confirmed(lab, "3", &ring(swap, both, 2), &[0, 1, 2], &data);
    assert_eq!(finding.core[0].call, call);
    clean(lab, "3", &ring(swap, both, 0), Scope::AllExecutions);
}

fn sendrecv(lab: &Lab) {
    let swap = "\
def swap(values):
    a = ints(0, 0)
    comm.Sendrecv(values, dest=1, recvbuf=a, source=1)
    return a.tolist()
give = swap";
    in_a_ring(lab, swap, true, "MPI_Sendrecv");
}

fn sendrecv_replace(lab: &Lab) {
    // Every other element: what lies between is not touched.
    let swap = "\
pairs = MPI.INT.Create_vector(2, 1, 2).Commit()
def swap(values):
    a = ints(values[0], -1, values[1])
    comm.Sendrecv_replace([a, 1, pairs], dest=1, source=1)
    assert a[1] == -1
    return [a[0], a[2]]
give = swap";
    in_a_ring(lab, swap, true, "MPI_Sendrecv");
}

/// mpi4py makes other calls of it.
fn sendrecv_of_objects(lab: &Lab) {
    let program = |first: u32| {
        format!(
            "\
if comm.rank == 0:
    got(comm.sendrecv('one', dest=1, source=1))
    got(comm.sendrecv('two', dest=1, source=1))
    comm.send('three', dest=2)
elif comm.rank == 1:
    got(comm.recv(source=0))
    comm.send('four', dest=0)
    comm.send('five', dest=0)
    got(comm.recv(source={first}))
    got(comm.recv(source={}))
else:
    got(comm.recv(source=0))
    comm.send('six', dest=1)
",
            2 - first
        )
    };
    let data = ["rank 0 got four\n", "rank 1 got one\n"];
    confirmed(lab, "3", &program(2), &[0, 1, 2], &data);
    clean(lab, "3", &program(0), Scope::AllExecutions);
}

fn persistent_send(lab: &Lab) {
    let swap = "\
buffer = ints(0, 0)
request = comm.Send_init(buffer, dest=1) if comm.rank == 0 else None
def give(values):
    buffer[:] = values
    request.Start()
    request.Wait()
def swap(values):
    give(values)
    a = ints(0, 0)
    comm.Recv(a, source=1)
    return a.tolist()";
    in_a_ring(lab, swap, false, "MPI_Wait");
}

fn isend_of_arrays(lab: &Lab) {
    let swap = "\
def give(values): comm.Isend(values, dest=1).Wait()
def swap(values):
    give(values)
    a = ints(0, 0)
    comm.Recv(a, source=1)
    return a.tolist()";
    in_a_ring(lab, swap, false, "MPI_Wait");
}

/// Rank 1 takes the message of rank 0 first only if rank 0's large send to rank 2 is buffered.
fn large_send_that_is_buffered(lab: &Lab) {
    let program = |from: &str| {
        format!(
            "\
large = array.array('i', range(200000))
a = ints(0, 0)
if comm.rank == 0:
    comm.Send(large, dest=2)
    comm.Send(ints(1, 2), dest=1)
elif comm.rank == 1:
    comm.Recv(a, source=MPI.ANY_SOURCE)
    got('first')
    comm.Send(a, dest=2, tag=1)
    comm.Recv(a, source={from})
else:
    request = comm.Isend(ints(3, 4), dest=1)
    comm.Recv(a, source=1, tag=1)
    empty = array.array('i', bytes(4 * 200000))
    comm.Recv(empty, source=0)
    got(empty == large)
    request.Wait()
"
        )
    };
    let data = ["rank 1 got first\n", "rank 2 got True\n"];
    confirmed(lab, "3", &program("0"), &[0, 1], &data);
    clean(lab, "3", &program("MPI.ANY_SOURCE"), Scope::AllExecutions);
}

/// Two receives, of which rank 0 completes one with `complete`, which gives a list of positions.
fn completions(complete: &str, reacts: bool) -> String {
    let reacts = if reacts {
        "        comm.Recv(ints(0, 0), source=1, tag=5)\n"
    } else {
        "        pass\n"
    };
    format!(
        "\
a, b = ints(0, 0), ints(0, 0)
if comm.rank == 0:
    requests = [comm.Irecv(a, source=1), comm.Irecv(b, source=2)]
    comm.Barrier()
    told = {complete}
    if 1 in told and 0 not in told:
        got('the other', b.tolist())
{reacts}    MPI.Request.Waitall(requests)
    got(a.tolist(), b.tolist())
else:
    comm.Send(ints(comm.rank, 7), dest=0)
    comm.Barrier()
"
    )
}

#[track_caller]
fn tells_the_other(lab: &Lab, complete: &str, scope: Scope) {
    let data = ["rank 0 got the other [2, 7]\n"];
    confirmed(lab, "3", &completions(complete, true), &[0, 1], &data);
    clean(lab, "3", &completions(complete, false), scope);
}

fn waitany(lab: &Lab) {
    let complete = "[MPI.Request.Waitany(requests)]";
    tells_the_other(lab, complete, Scope::AllExecutions);
}

fn waitsome(lab: &Lab) {
    let complete = "MPI.Request.Waitsome(requests)";
    tells_the_other(lab, complete, Scope::AllExecutions);
}

fn testany(lab: &Lab) {
    let complete = "[MPI.Request.Testany(requests)[0]]";
    tells_the_other(lab, complete, Scope::Bounded);
}

fn test_that_finds_nothing_yet(lab: &Lab) {
    let program = |tag: u32| {
        format!(
            "\
if comm.rank == 0:
    a = ints(0, 0)
    request = comm.Irecv(a, source=1, tag=1)
    comm.Barrier()
    if not request.Test():
        got('nothing yet')
        comm.Recv(ints(0, 0), source=1, tag={tag})
        request.Wait()
    got(a.tolist())
else:
    comm.Send(ints(8, 9), dest=0, tag=1)
    comm.Barrier()
    comm.Isend(ints(8, 9), dest=0, tag=2).Free()
"
        )
    };
    let data = ["rank 0 got nothing yet\n"];
    // On some libraries the first answer is the other one: then the run itself hangs, and says so.
    let ended = check(lab, "2", "found.py", &program(3));
    let report = lab.report();
    assert_eq!(report.findings[0].core[0].rank, 0, "{ended:#?} {report:#?}");
    if report.verdict == Verdict::PotentialDeadlock {
        confirmed(lab, "2", &program(3), &[0, 1], &data);
    }
    clean(lab, "2", &program(2), Scope::Bounded);
}

fn iprobe_that_finds_something(lab: &Lab) {
    let program = |then: &str| {
        format!(
            "\
if comm.rank == 0:
    if comm.Iprobe(source=1, tag=1):
        got('something')
        {then}
    lab.make('asked')
    comm.Recv(ints(0, 0), source=1, tag=1)
else:
    lab.wait_for('asked')
    comm.Send(ints(8, 9), dest=0, tag=1)
"
        )
    };
    let data = ["rank 0 got something\n"];
    let hangs = "comm.Recv(ints(0, 0), source=1, tag=3)";
    confirmed(lab, "2", &program(hangs), &[0, 1], &data);
    std::fs::remove_file(lab.path("asked")).unwrap();
    clean(lab, "2", &program("pass"), Scope::Bounded);
}

/// The broadcast's request may be complete for the root before the others come, or not.
fn ibcast_that_waits(lab: &Lab) {
    let program = |late: &str, early: &str| {
        format!(
            "\
a = ints(5, 6) if comm.rank == 0 else ints(0, 0)
comm.Ibcast(a, root=0).Wait()
got(a.tolist())
request = comm.Ibcast(a, root=0)
if comm.rank == 0:
    {early}
    comm.Send(a, dest=1)
    {late}
else:
    request.Wait()
"
        )
        .replace(
            "request = comm.Ibcast(a, root=0)\n",
            "if comm.rank == 1: comm.Recv(a, source=0)\nrequest = comm.Ibcast(a, root=0)\n",
        )
    };
    let data = ["rank 0 got [5, 6]\n", "rank 1 got [5, 6]\n"];
    confirmed(lab, "2", &program("pass", "request.Wait()"), &[0, 1], &data);
    let cured = program("request.Wait()", "pass");
    clean(lab, "2", &cured, Scope::AllExecutions);
}

/// Rank `early` takes part in `collective`, which may let it go before rank 2 comes, and then sends to rank 2, which expects the message of the
/// other first. The data is large, so that libraries do not let it go by themselves.
fn leaves(collective: &str, early: u32, from: &str) -> String {
    format!(
        "\
n = 50000
def numbers(k): return array.array('i', [k + i for i in range(n)])
def zeros(k): return array.array('i', bytes(4 * n * k))
def take_part():
{collective}
a = ints(0, 0)
third = 'third-' + os.path.basename(os.environ['STANDOFF_SESSION'])
if comm.rank == {early}:
    take_part()
    lab.wait_for('first')
    comm.Send(ints(1, 2), dest=2)
elif comm.rank == 2:
    comm.Recv(a, source=MPI.ANY_SOURCE)
    lab.make('first')
    take_part()
    # The deadlock ends the job: not before the third has said what it got.
    lab.wait_for(third)
    comm.Recv(a, source={from})
else:
    request = comm.Isend(ints(3, 4), dest=2)
    take_part()
    lab.make(third)
    request.Wait()
"
    )
}

#[track_caller]
fn leaves_early(lab: &Lab, collective: &str, early: u32, data: &[&str], scope: Scope) {
    let program = leaves(collective, early, &early.to_string());
    confirmed(lab, "3", &program, &[early, 2], data);
    std::fs::remove_file(lab.path("first")).unwrap();
    let cured = leaves(collective, early, "MPI.ANY_SOURCE");
    clean(lab, "3", &cured, scope);
}

fn bcast_root_leaves(lab: &Lab) {
    let bcast = "    b = numbers(4) if comm.rank == 0 else zeros(1)
    comm.Bcast(b, root=0)
    got(b == numbers(4))";
    let data = [
        "rank 0 got True\n",
        "rank 1 got True\n",
        "rank 2 got True\n",
    ];
    leaves_early(lab, bcast, 0, &data, Scope::AllExecutions);
}

fn scatter_root_leaves(lab: &Lab) {
    let scatter = "    b = zeros(1)
    parts = numbers(0) + numbers(1) + numbers(2) if comm.rank == 0 else None
    comm.Scatter(parts, b, root=0)
    got(b == numbers(comm.rank))";
    let data = [
        "rank 0 got True\n",
        "rank 1 got True\n",
        "rank 2 got True\n",
    ];
    leaves_early(lab, scatter, 0, &data, Scope::AllExecutions);
}

fn gather_leaf_leaves(lab: &Lab) {
    let gather = "    parts = zeros(3) if comm.rank == 1 else None
    comm.Gather(numbers(comm.rank), parts, root=1)
    if comm.rank == 1: got(parts == numbers(0) + numbers(1) + numbers(2))";
    leaves_early(lab, gather, 0, &["rank 1 got True\n"], Scope::AllExecutions);
}

/// With other counts and places, and the root's own part in its place.
fn gatherv_leaf_leaves(lab: &Lab) {
    let gather = "    if comm.rank == 1:
        parts = numbers(0) + numbers(1) + numbers(2)
        parts[:3] = ints(0, 0, 0)
        comm.Gatherv(MPI.IN_PLACE, [parts, (3, n, 1), (0, n, 2 * n), MPI.INT], root=1)
        got(parts[:3].tolist(), parts[n:2 * n] == numbers(1), parts[2 * n])
    else:
        comm.Gatherv(numbers(70)[:3 if comm.rank == 0 else 1], None, root=1)";
    // Of the counts of others nothing is known.
    leaves_early(
        lab,
        gather,
        0,
        &["rank 1 got [70, 71, 72] True 70\n"],
        Scope::Bounded,
    );
}

/// An operation that does not commute, so that the order shows.
fn reduce_leaf_leaves(lab: &Lab) {
    let reduce = "    def first(a, b, t): memoryview(b)[:] = memoryview(a)
    op = MPI.Op.Create(first, commute=False)
    b = ints(0, 0, 0)
    comm.Reduce(ints(*[comm.rank + 1] * 3), b, op=op, root=1)
    if comm.rank == 1: got(b.tolist())";
    leaves_early(
        lab,
        reduce,
        0,
        &["rank 1 got [1, 1, 1]\n"],
        Scope::AllExecutions,
    );
}

/// What comes of different collectives is up to the library: the find says that.
fn mismatch_is_not_forced(lab: &Lab) {
    let program = "\
a = ints(0, 0)
comm.Bcast(a, root=comm.rank)
";
    check(lab, "2", "mismatch.py", program);
    let report = lab.report();
    let finding = &report.findings[0];
    assert_eq!(report.verdict, Verdict::PotentialDeadlock, "{report:#?}");
    assert!(!finding.confirmed, "{finding:#?}");
    assert!(
        finding.explanation.contains("different collectives"),
        "{finding:#?}"
    );
}
