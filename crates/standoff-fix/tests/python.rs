//! Repairs of Python programs, as texts.

mod common;

use common::{finding, patched, proposal};
use standoff_fix::Language::Python;
use standoff_fix::{Repair, propose};

const OPENING: &str = "\
from mpi4py import MPI
comm = MPI.COMM_WORLD
if comm.rank == 1:
    got = comm.recv(source=5); comm.send(\"a\", dest=5)  # @stuck 1
if comm.rank == 5:
    got = comm.recv(source=1); comm.send(\"b\", dest=1)  # @stuck 5
";

#[test]
fn opening_swapped_on_either_side() {
    let swapped = patched(Python, OPENING, Repair::Swap);
    let line = "got = comm.recv(source=5); comm.send(\"a\", dest=5)";
    let other = "got = comm.recv(source=1); comm.send(\"b\", dest=1)";
    let first = OPENING.replace(line, "comm.send(\"a\", dest=5); got = comm.recv(source=5)");
    let second = OPENING.replace(other, "comm.send(\"b\", dest=1); got = comm.recv(source=1)");
    assert_eq!(swapped, [first.clone(), second.clone()]);
    let half = first.replace(other, "comm.send(\"b\", dest=1); got = comm.recv(source=1)");
    assert_eq!(patched(Python, OPENING, Repair::HalfCure), [half]);
}

#[test]
fn opening_joined() {
    let joined = patched(Python, OPENING, Repair::Join);
    assert_eq!(joined.len(), 1);
    assert!(
        joined[0].contains("\n    got = comm.sendrecv(\"a\", dest=5, source=5)  # @stuck 1\n"),
        "{}",
        joined[0]
    );
    assert!(
        joined[0].contains("\n    got = comm.sendrecv(\"b\", dest=1, source=1)  # @stuck 5\n"),
        "{}",
        joined[0]
    );
}

#[test]
fn opening_nonblocking() {
    let made = patched(Python, OPENING, Repair::Nonblocking);
    assert!(
        made[0].contains(
            "request = comm.isend(\"a\", dest=5); got = comm.recv(source=5); request.wait()"
        ),
        "{}",
        made[0]
    );
}

const PAIR: &str = "\
def swap_rows(comm, row, partner):
    comm.ssend(row, dest=partner, tag=7)  # @stuck 0 1
    return comm.recv(source=partner, tag=7)
";

#[test]
fn pair_by_its_ranks() {
    let made = patched(Python, PAIR, Repair::Swap);
    assert_eq!(
        made[0],
        "\
def swap_rows(comm, row, partner):
    if comm.Get_rank() < partner:
        comm.ssend(row, dest=partner, tag=7)  # @stuck 0 1
        received = comm.recv(source=partner, tag=7)
    else:
        received = comm.recv(source=partner, tag=7)
        comm.ssend(row, dest=partner, tag=7)  # @stuck 0 1
    return received
"
    );
    let made = patched(Python, PAIR, Repair::Nonblocking);
    assert_eq!(
        made[0],
        "\
def swap_rows(comm, row, partner):
    request = comm.issend(row, dest=partner, tag=7)
    received = comm.recv(source=partner, tag=7)
    request.wait()
    return received
"
    );
    // Synchronous: sendrecv would be another promise.
    assert_eq!(patched(Python, PAIR, Repair::Join), Vec::<String>::new());
}

const RING: &str = "\
import numpy as np
from mpi4py import MPI

comm = MPI.COMM_WORLD
rank = comm.Get_rank()
right, left = (rank + 1) % comm.size, (rank - 1) % comm.size
mine = np.full(4, rank)
theirs = np.empty(4, dtype=int)
for step in range(3):
    # Round and round.
    comm.Send(mine, dest=right, tag=step)  # @stuck 0 1 2
    # The other way.
    comm.Recv(theirs, source=left, tag=step)
    mine[:] = theirs
";

#[test]
fn ring_by_parity() {
    let made = patched(Python, RING, Repair::Swap);
    let body = made[0].split("# Round and round.\n").nth(1).unwrap();
    assert_eq!(
        body,
        "    if rank % 2 == 0:
        comm.Send(mine, dest=right, tag=step)  # @stuck 0 1 2
        # The other way.
        comm.Recv(theirs, source=left, tag=step)
    else:
        comm.Recv(theirs, source=left, tag=step)
        comm.Send(mine, dest=right, tag=step)  # @stuck 0 1 2
    mine[:] = theirs
"
    );
    assert!(made[1].contains("if rank < right:"), "{}", made[1]);
}

#[test]
fn ring_joined() {
    let made = patched(Python, RING, Repair::Join);
    let call =
        "comm.Sendrecv(mine, dest=right, sendtag=step, recvbuf=theirs, source=left, recvtag=step)";
    assert!(made[0].contains(call), "{}", made[0]);
    // What stood behind a statement that went stays.
    assert!(made[0].contains("# The other way.\n"), "{}", made[0]);
    let same = RING.replace("theirs,", "mine,");
    let made = patched(Python, &same, Repair::Join);
    assert!(
        made[0].contains(
            "comm.Sendrecv_replace(mine, dest=right, sendtag=step, source=left, recvtag=step)"
        ),
        "{}",
        made[0]
    );
}

#[test]
fn parameters_are_what_they_are_given() {
    let source = "\
import numpy as np
def shift(comm, edge, ghost, left, right):
    comm.Recv(ghost, source=left)  # @stuck 0 1 2
    comm.Send(edge, dest=right)
def step(comm, left, right):
    edge, ghost = np.zeros(8), np.zeros(8)
    shift(comm, edge, ghost, left, right)
";
    assert_eq!(patched(Python, source, Repair::Swap).len(), 2);
    let shared = source.replace("np.zeros(8), np.zeros(8)", "field[1:2], field[0:1]");
    assert_eq!(proposal(Python, &shared).candidates, []);
    let unseen = source.split("def step").next().unwrap();
    assert_eq!(proposal(Python, unseen).candidates, []);
}

#[test]
fn parts_of_an_array() {
    let source = "\
import numpy as np
u = np.zeros(10)
comm.Recv(u[0:1], source=left)  # @stuck 0 1 2
comm.Send(u[1:2], dest=right)
";
    assert_eq!(patched(Python, source, Repair::Join).len(), 1);
    // The last may be the first.
    assert_eq!(
        proposal(Python, &source.replace("u[1:2]", "u[-2:-1]")).candidates,
        []
    );
}

#[test]
fn statements_between_go_along() {
    let source = "\
def exchange(comm, peer, base):
    got = comm.recv(source=peer)  # @stuck 0 1
    scaled = base * 2
    comm.send(scaled, dest=peer)
    return got
";
    let made = patched(Python, source, Repair::Nonblocking);
    let expected = "\
def exchange(comm, peer, base):
    scaled = base * 2
    request = comm.isend(scaled, dest=peer)
    got = comm.recv(source=peer)  # @stuck 0 1
    request.wait()
    return got
";
    assert_eq!(made, [expected]);
}

#[test]
fn two_of_each() {
    let source = "\
def halo(comm, u, left, right):
    comm.send(u[1], dest=left)  # @stuck 0 1 2 3
    comm.send(u[-2], dest=right)
    u[-1] = comm.recv(source=right)
    u[0] = comm.recv(source=left)
";
    let made = patched(Python, source, Repair::Nonblocking);
    let expected = "\
def halo(comm, u, left, right):
    request = comm.isend(u[1], dest=left)
    request_2 = comm.isend(u[-2], dest=right)
    u[-1] = comm.recv(source=right)
    u[0] = comm.recv(source=left)
    request.wait()
    request_2.wait()
";
    assert_eq!(made, [expected]);
}

#[test]
fn a_wait_that_comes_too_early() {
    let source = "\
def correct(self, value):
    incoming = self.comm.irecv(source=self.down, tag=11)
    other = incoming.wait()  # @stuck 0 1 2
    self.comm.send(value, dest=self.up, tag=11)
    return 0.5 * (value + other)
";
    let made = patched(Python, source, Repair::Nonblocking);
    let expected = "    self.comm.send(value, dest=self.up, tag=11)\n    other = incoming.wait()  # @stuck 0 1 2\n";
    assert!(made[0].contains(expected), "{}", made[0]);
}

#[test]
fn collective_out_of_its_branch() {
    let source = "\
if comm.rank == 0:
    print('saved')
    comm.Barrier()  # @stuck 0
print('on')
";
    let made = patched(Python, source, Repair::Collective);
    assert_eq!(
        made,
        ["if comm.rank == 0:\n    print('saved')\ncomm.Barrier()  # @stuck 0\nprint('on')\n"]
    );
    let source = "if comm.rank == 0:\n    total = comm.allreduce(part)  # @stuck 0\n";
    let made = patched(Python, source, Repair::Collective);
    assert_eq!(made, ["total = comm.allreduce(part)  # @stuck 0\n"]);
    let source = "if comm.rank == 0:\n    x = 1\n    comm.bcast(x)  # @stuck 0\n";
    assert!(proposal(Python, source).refused[0].contains("`x` is set only there"));
    let source = "if comm.rank == 0:\n    comm.Barrier()  # @stuck 0\nelse:\n    work()\n";
    assert!(proposal(Python, source).refused[0].contains("another branch"));
}

#[test]
fn tag_typo() {
    let source = "\
WORK, REPLY = 1, 2
if comm.rank == 0:
    comm.send('x', dest=1, tag=12)
    got = comm.recv(source=1, tag=REPLY)
else:
    job = comm.recv(source=0, tag=21)  # @stuck 1
    comm.send(job, dest=0, tag=REPLY)
";
    let made = patched(Python, source, Repair::Correct);
    assert_eq!(
        made,
        [
            source.replace("tag=21", "tag=12"),
            source.replace("tag=12", "tag=21")
        ]
    );
    let two = source
        .replace("tag=REPLY)\n", "tag=33)\n")
        .replace("job, dest=0, tag=33", "job, dest=0, tag=34");
    assert_eq!(patched(Python, &two, Repair::Correct), Vec::<String>::new());
}

#[test]
fn other_communicator() {
    let source = "\
class Solver:
    def give(self):
        self.private.send(1, dest=1, tag=5)
    def take(self):
        return self.world.recv(source=0, tag=5)  # @stuck 1
";
    let made = patched(Python, source, Repair::Correct);
    assert_eq!(
        made,
        [
            source.replace("self.world", "self.private"),
            source.replace("self.private", "self.world")
        ]
    );
}

#[test]
fn guard_of_an_exception() {
    let source = "from mpi4py import MPI  # all of it\ncomm = MPI.COMM_WORLD\nwork()\n";
    let mut finding = finding(source);
    finding.causes.push(standoff_report::Cause {
        rank: 2,
        what: "raised KeyError: 'steps'".into(),
        stack: vec![standoff_report::Frame::at("it", 3, "<module>")],
        ..Default::default()
    });
    let made = propose(&finding, 3, "it", Python, source)
        .unwrap()
        .candidates;
    assert_eq!(made.len(), 1);
    assert_eq!(made[0].repair, Repair::Guard);
    let text = standoff_fix::edit::apply(source, &made[0].edits).unwrap();
    assert!(
        text.starts_with("from mpi4py import MPI  # all of it\nimport sys\n"),
        "{text}"
    );
    assert!(
        text.contains("sys.excepthook = abort_on_exception\ncomm = "),
        "{text}"
    );
}

#[test]
fn what_does_not_parse() {
    let source = "def f(:\n    comm.recv(source=1)  # @stuck 0\n";
    let error = propose(&finding(source), 3, "it", Python, source).unwrap_err();
    assert!(error.contains("line 1"), "{error}");
}

#[test]
fn wildcard_names_its_source() {
    let source = "\
if comm.rank == 0:
    first = comm.recv(tag=1)
    second = comm.recv(source=1, tag=1)  # @stuck 0
";
    let mut finding = finding(source);
    finding.kind = standoff_report::FindingKind::PotentialDeadlock;
    finding.core[0].peer = Some(1);
    let made = propose(&finding, 3, "it", Python, source)
        .unwrap()
        .candidates;
    assert_eq!(made.len(), 1, "{made:#?}");
    let text = standoff_fix::edit::apply(source, &made[0].edits).unwrap();
    assert_eq!(text, source.replace("recv(tag=1)", "recv(tag=1, source=2)"));
    let looped = source.replace("if comm.rank == 0", "for i in range(3)");
    let made = propose(&finding, 3, "it", Python, &looped)
        .unwrap()
        .candidates;
    assert_eq!(made, []);
}

#[test]
fn tag_of_a_table() {
    let source = "\
TAGS = {'up': 10, 'down': 20}
if comm.rank == 0:
    comm.send(1, dest=1, tag=TAGS['up'])
else:
    comm.recv(source=0, tag=TAGS['up'] + 1)  # @stuck 1
";
    let made = patched(Python, source, Repair::Correct);
    assert_eq!(made[0], source.replace(" + 1", ""));
}
