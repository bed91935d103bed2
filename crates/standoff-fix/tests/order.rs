//! Communications that change places, and ranks that take part before they leave; and what must not be touched.

mod common;

use common::{finding, proposal};
use standoff_fix::Language::{C, Python};
use standoff_fix::{Proposal, Repair, edit, propose};
use standoff_report::Frame;

#[track_caller]
fn made(source: &str, repair: Repair) -> Vec<String> {
    texts(source, &proposal(Python, source), repair)
}

fn texts(source: &str, proposal: &Proposal, repair: Repair) -> Vec<String> {
    let these = proposal.candidates.iter().filter(|c| c.repair == repair);
    these
        .map(|c| edit::apply(source, &c.edits).unwrap())
        .collect()
}

/// Nothing is offered of these two sorts, for this reason.
#[track_caller]
fn left_alone(source: &str, reason: &str) {
    let proposal = proposal(Python, source);
    let offered =
        |c: &&standoff_fix::Candidate| matches!(c.repair, Repair::Swap | Repair::Collective);
    let offered: Vec<_> = proposal.candidates.iter().filter(offered).collect();
    assert!(offered.is_empty(), "{offered:#?}");
    let said = proposal.refused.join("\n");
    assert!(said.contains(reason), "{said}");
}

#[test]
fn receive_before_a_collective() {
    let source = "\
if comm.rank == 0:
    detail = comm.recv(source=2)  # @stuck 0
    comm.Gather(count, counts, root=0)
    print(detail)
else:
    comm.Gather(count, counts, root=0)
";
    let expected = "\
if comm.rank == 0:
    comm.Gather(count, counts, root=0)
    detail = comm.recv(source=2)  # @stuck 0
    print(detail)
else:
    comm.Gather(count, counts, root=0)
";
    assert_eq!(made(source, Repair::Swap), [expected]);
}

#[test]
fn what_is_received_is_gathered() {
    let source = "\
count = comm.recv(source=2)  # @stuck 0
all = comm.gather(count, root=0)
";
    left_alone(source, "`count` is needed in this order");
}

#[test]
fn messages_of_different_tags() {
    let source = "\
import numpy as np
BODY, HEADER = 1, 2
for source in range(3):
    body = np.empty(5)
    comm.Recv(body, source=source, tag=BODY)  # @stuck 0
    header = comm.recv(source=source, tag=HEADER)
";
    let swapped = "\
    body = np.empty(5)
    header = comm.recv(source=source, tag=HEADER)
    comm.Recv(body, source=source, tag=BODY)  # @stuck 0
";
    let all = made(source, Repair::Swap);
    assert_eq!(all.len(), 1);
    assert!(all[0].ends_with(swapped), "{}", all[0]);
}

/// The first message is the header because it comes first.
#[test]
fn messages_of_one_tag() {
    let source = "\
header = comm.recv(source=1, tag=3)  # @stuck 0
body = comm.recv(source=1, tag=3)
";
    left_alone(source, "recv and recv have their order");
    let untagged = "header = comm.recv(source=1)  # @stuck 0\nbody = comm.recv(source=2)\n";
    left_alone(untagged, "recv and recv have their order");
    let computed = "comm.send(a, dest=1, tag=step)  # @stuck 0\ncomm.send(b, dest=1, tag=last)\n";
    left_alone(computed, "send and send have their order");
}

/// Both would go on, each with what was meant for the other.
#[test]
fn the_same_collective_twice() {
    let source = "low = comm.allreduce(a)  # @stuck 0\nhigh = comm.allreduce(b)\n";
    left_alone(source, "allreduce and allreduce have their order");
    let buffers = "low = comm.bcast(a)  # @stuck 0\nother.Bcast(b, root=0)\n";
    left_alone(buffers, "bcast and Bcast have their order");
}

const CALLS: &str = "\
def push(comm, gradient):
    comm.send(gradient, dest=0, tag=1)


def pull(comm):
    return comm.recv(source=0, tag=2)  # @stuck 2


def worker(comm):
    if comm.rank == 2:
        weights = pull(comm)
        push(comm, 1.0)
    else:
        push(comm, 1.0)
        weights = pull(comm)
";

/// As seen from `worker`, line 11.
fn from_worker(source: &str) -> Proposal {
    let mut finding = finding(source);
    let row = source.lines().position(|l| l.contains("weights = pull"));
    let line = row.unwrap() as u32 + 1;
    finding.core[0].stack.push(Frame::at("it", line, "worker"));
    propose(&finding, 3, "it", Python, source).unwrap()
}

#[test]
fn calls_of_functions() {
    let swapped = "\
    if comm.rank == 2:
        push(comm, 1.0)
        weights = pull(comm)
    else:
";
    let all = texts(CALLS, &from_worker(CALLS), Repair::Swap);
    assert_eq!(all.len(), 1);
    assert!(all[0].contains(swapped), "{}", all[0]);
}

#[track_caller]
fn calls_left_alone(source: &str, reason: &str) {
    let proposal = from_worker(source);
    let all = texts(source, &proposal, Repair::Swap);
    assert_eq!(all, Vec::<String>::new());
    let said = proposal.refused.join("\n");
    assert!(said.contains(reason), "{said}");
}

#[test]
fn calls_that_depend_on_each_other() {
    let needs = CALLS.replace(
        "        push(comm, 1.0)\n    else",
        "        push(comm, weights)\n    else",
    );
    calls_left_alone(&needs, "`weights` is needed in this order");
}

/// One writes what it is given, the other sends it.
#[test]
fn calls_that_write_what_they_are_given() {
    let source = CALLS
        .replace(
            "def pull(comm):\n    return comm.recv(source=0, tag=2)",
            "def pull(comm, w):\n    w[:] = comm.recv(source=0, tag=2)",
        )
        .replace("weights = pull(comm)", "weights = pull(comm, field)")
        .replace("push(comm, 1.0)", "push(comm, field)");
    calls_left_alone(&source, "is needed in this order");
}

#[test]
fn calls_that_print_or_raise() {
    let prints = CALLS.replace(
        "def pull(comm):\n",
        "def pull(comm):\n    print('pulling')\n",
    );
    calls_left_alone(&prints, "`pull()` in line 12 may do anything");
    let raises = CALLS.replace(
        "def pull(comm):\n",
        "def pull(comm):\n    assert comm.rank\n",
    );
    calls_left_alone(&raises, "`pull()` in line 12 may do anything");
    let global = CALLS.replace("def pull(comm):\n", "def pull(comm):\n    STATE.step = 1\n");
    calls_left_alone(&global, "may do anything");
}

/// A name that may be another function at that time: whether it communicates is not known.
#[test]
fn calls_of_what_is_rebound() {
    let decorated = CALLS.replace("def push", "@logged\ndef push");
    for source in [format!("{CALLS}push = print\n"), decorated] {
        let all = texts(&source, &from_worker(&source), Repair::Swap);
        assert_eq!(all, Vec::<String>::new());
    }
}

#[test]
fn a_branch_behind_a_collective() {
    let source = "\
def collect(comm, log):
    if comm.rank != 0:
        comm.send(log, dest=0, tag=4)  # @stuck 1 2
    comm.barrier()  # @stuck 0
    return log
";
    let expected = "\
def collect(comm, log):
    comm.barrier()  # @stuck 0
    if comm.rank != 0:
        comm.send(log, dest=0, tag=4)  # @stuck 1 2
    return log
";
    assert_eq!(made(source, Repair::Swap), [expected]);
}

#[test]
fn takes_part_before_it_leaves() {
    let source = "\
def table(comm, text):
    if not text:
        return 0
    start = comm.exscan(len(text)) or 0  # @stuck 0 2
    end = comm.allreduce(start + len(text))
    write(text, start)
    comm.Barrier()
    return end
";
    let all = made(source, Repair::Collective);
    let expected = "\
    if not text:
        start = comm.exscan(len(text)) or 0
        end = comm.allreduce(start + len(text))
        comm.Barrier()
        return 0
";
    assert!(all[0].contains(expected), "{}", all[0]);
    assert_eq!(all.len(), 2);
    let returned = "\
def parameters(comm, table):
    if comm.rank == 0:
        return table
    return comm.bcast(table, root=0)  # @stuck 1 2
";
    let all = made(returned, Repair::Collective);
    let expected =
        "    if comm.rank == 0:\n        comm.bcast(table, root=0)\n        return table\n";
    assert_eq!(all.len(), 1);
    assert!(all[0].contains(expected), "{}", all[0]);
}

/// What is reduced is computed only by those who stay.
#[test]
fn nothing_to_take_part_with() {
    let source = "\
def total(comm, cells):
    if not cells:
        return 0.0
    own = cells[0]
    return comm.allreduce(own)  # @stuck 0 2
";
    left_alone(source, "`own` is made between");
    let unseen = "\
def total(comm, cells, own):
    if not cells:
        return 0.0
    smooth(cells, own)
    return comm.allreduce(own)  # @stuck 0 2
";
    left_alone(unseen, "`smooth()` in line 4 may do anything");
}

/// What it would return would not be what it was.
#[test]
fn what_leaves_is_overwritten() {
    let source = "\
def total(comm, cells, own):
    if not cells:
        return own
    comm.Allreduce(cells, own)  # @stuck 0 2
    return own
";
    left_alone(source, "`own` is needed as it is");
}

/// The branch has its own part in it.
#[test]
fn the_branch_communicates() {
    let source = "\
def total(comm, cells):
    if not cells:
        comm.send(None, dest=0)
        return 0.0
    return comm.allreduce(cells)  # @stuck 0 2
";
    left_alone(source, "the branch communicates itself");
}

/// What others send behind the barrier would be taken, too.
#[test]
fn from_any_source_before_a_barrier() {
    let source = "first = comm.recv(source=MPI.ANY_SOURCE, tag=1)  # @stuck 0\ncomm.barrier()\n";
    left_alone(source, "recv and barrier have their order");
}

const IN_C: &str = "\
static int steps;

static void hand_over(int block)
{
    MPI_Ssend(&block, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);  // @stuck 1 2
}

static void close_epoch(void)
{
    MPI_Barrier(MPI_COMM_WORLD);
}

static void work(int rank)
{
    hand_over(rank);
    close_epoch();
}
";

/// As seen from `work`.
fn from_work(source: &str) -> Proposal {
    let mut finding = finding(source);
    let row = source.lines().position(|l| l == "    hand_over(rank);");
    let line = row.unwrap() as u32 + 1;
    finding.core[0].stack.push(Frame::at("it", line, "work"));
    propose(&finding, 3, "it", C, source).unwrap()
}

#[test]
fn calls_of_functions_in_c() {
    let all = texts(IN_C, &from_work(IN_C), Repair::Swap);
    assert_eq!(all.len(), 1);
    let swapped = "    close_epoch();\n    hand_over(rank);\n}";
    assert!(all[0].contains(swapped), "{}", all[0]);
}

#[test]
fn calls_in_c_that_do_more() {
    let more = [
        ("    static int calls;\n", "`hand_over()`"),
        ("    steps = 0;\n", "`hand_over()`"),
        ("    report(block);\n", "`hand_over()`"),
        ("    if (block < 0)\n        exit(1);\n", "`hand_over()`"),
    ];
    for (line, reason) in more {
        let source = IN_C.replace("    MPI_Ssend", &format!("{line}    MPI_Ssend"));
        let proposal = from_work(&source);
        assert_eq!(
            texts(&source, &proposal, Repair::Swap),
            Vec::<String>::new()
        );
        let said = proposal.refused.join("\n");
        assert!(said.contains(reason), "{line}: {said}");
    }
}

#[test]
fn collectives_in_c() {
    let source = "\
int main(void)
{
    if (rank != 0)
        MPI_Send(spectrum, 16, MPI_DOUBLE, 0, 3, MPI_COMM_WORLD);  // @stuck 1 2
    MPI_Allreduce(&residual, &all, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
}
";
    let expected = "\
{
    MPI_Allreduce(&residual, &all, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    if (rank != 0)
        MPI_Send(spectrum, 16, MPI_DOUBLE, 0, 3, MPI_COMM_WORLD);  // @stuck 1 2
}
";
    let source = source.replace("{\n", "{\n    double spectrum[16], residual, all;\n");
    let all = texts(&source, &proposal(C, &source), Repair::Swap);
    assert_eq!(all.len(), 1);
    let expected = expected.replace("{\n", "{\n    double spectrum[16], residual, all;\n");
    assert!(all[0].ends_with(&expected), "{}", all[0]);
    // What is reduced into is what is sent.
    let same = source.replace("&all", "spectrum");
    assert_eq!(
        texts(&same, &proposal(C, &same), Repair::Swap),
        Vec::<String>::new()
    );
    let any = source.replace(
        "MPI_Send(spectrum, 16, MPI_DOUBLE, 0, 3, MPI_COMM_WORLD)",
        "MPI_Recv(spectrum, 16, MPI_DOUBLE, MPI_ANY_SOURCE, 3, MPI_COMM_WORLD, MPI_STATUS_IGNORE)",
    );
    assert_eq!(
        texts(&any, &proposal(C, &any), Repair::Swap),
        Vec::<String>::new()
    );
}

/// A pointer of the file is set in one function and used in another: what it stands for is not seen there.
#[test]
fn pointers_of_the_file_in_c() {
    let source = "\
static double field[16], *view;

static void point(void)
{
    view = field;
}

static void step(int peer)
{
    view = malloc(128);
    MPI_Recv(view, 16, MPI_DOUBLE, peer, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @stuck 0 1
    MPI_Send(field, 16, MPI_DOUBLE, peer, 0, MPI_COMM_WORLD);
}
";
    let proposal = proposal(C, source);
    assert_eq!(proposal.candidates, []);
    let said = proposal.refused.join("\n");
    assert!(said.contains("may be the same memory"), "{said}");
}
