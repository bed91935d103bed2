//! What is done about a deadlock: `run --rescue`, `--on-deadlock`.

mod common;
#[path = "common/rescued.rs"]
mod rescued;

use std::process::ExitCode;

use common::{DEADLOCK, Ended, Lab};
use rescued::{lines, rescued, ring};
use standoff_report::{FindingKind, Verdict};

fn main() -> ExitCode {
    common::main(&[
        ("rings_of_many_sizes", rings_of_many_sizes),
        ("every_kind_of_send_in_python", every_kind_of_send),
        ("communicators", communicators),
        ("no_rescue_needed", no_rescue_needed),
        ("always", always),
        ("receives_first", receives_first),
        ("memory_used_up", memory_used_up),
        ("a_message_that_nobody_receives", never_received),
        ("freed_requests", freed_requests),
        ("standoff_killed_while_draining", standoff_killed),
        ("command_on_deadlock", command_on_deadlock),
    ])
}

/// Each rank sends to the next before it receives, and overwrites what it sent at once. Arguments: integers in a message, rounds.
const RING: &str = "\
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv) {
    int n = atoi(argv[1]), rounds = atoi(argv[2]), rank, size, wrong = 0;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int *out = malloc(n * sizeof *out), *in = malloc(n * sizeof *in);
    int to = (rank + 1) % size, from = (rank + size - 1) % size;
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < n; i++) out[i] = rank * 1000003 + i + round;
        MPI_Send(out, n, MPI_INT, to, round, MPI_COMM_WORLD);
        memset(out, 0xff, n * sizeof *out);
        MPI_Recv(in, n, MPI_INT, from, round, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        for (int i = 0; i < n; i++) wrong += in[i] != from * 1000003 + i + round;
    }
    MPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    if (rank == 0) printf(\"%d wrong\\n\", wrong);
    MPI_Finalize();
    return wrong != 0;
}
";
const RING_SEND: u32 = 14;

fn rescue(lab: &Lab, ranks: u32, more: &[&str], program: &[&str]) -> Ended {
    let ranks = ranks.to_string();
    let mut words = vec!["run", "-n", &ranks, "--json", "report.json"];
    words.extend(if more.is_empty() { &["--rescue"] } else { more });
    words.extend(program);
    lab.run(&words)
}

fn rings_of_many_sizes(lab: &Lab) {
    let ring = ring(lab, RING);
    for ranks in [2, 3, 5, 16] {
        let ended = rescue(lab, ranks, &[], &[&ring, "100000", "4"]);
        ended.expect(0, &["standoff let go on", "ring.c:14"]);
        assert_eq!(ended.out, "0 wrong\n");
        let found = rescued(lab);
        assert_eq!(lines(&found), [RING_SEND], "{found:#?}");
    }
}

fn every_kind_of_send(lab: &Lab) {
    lab.file(
        "sends.py",
        "\
from mpi4py import MPI
import numpy as np
comm = MPI.COMM_WORLD
me, n = comm.rank, comm.size
to, source = (me + 1) % n, (me - 1) % n
numbers = list(range(200000)) + [me]
comm.send(numbers, dest=to, tag=1)
assert comm.recv(source=source, tag=1)[-1] == source
comm.isend(numbers, dest=to, tag=2).wait()
assert comm.recv(source=source, tag=2)[-1] == source
a, b = np.full(300000, me, dtype='d'), np.empty(300000)
comm.Send(a, dest=to, tag=3); a[:] = -1
comm.Recv(b, source=source, tag=3)
assert (b == source).all()
a[:] = me
MPI.Request.Waitall([comm.Isend(a, dest=to, tag=4), comm.Isend(a, dest=to, tag=5)]); a[:] = -1
for tag in 4, 5:
    comm.Recv(b, source=source, tag=tag)
    assert (b == source).all()
matrix = np.arange(2000000, dtype='d').reshape(2000, 1000) + me
whole = matrix.copy() - me + source
columns = MPI.DOUBLE.Create_vector(2000, 500, 1000).Commit()
comm.Send([matrix, 1, columns], dest=to, tag=6)
columns.Free(); matrix[:] = -1
half = np.empty((2000, 500))
comm.Recv(half, source=source, tag=6)
assert (half == whole[:, :500]).all()
a[:] = me
if me == 0:
    comm.Sendrecv(a, dest=1, sendtag=7, recvbuf=b, source=1, recvtag=7)
elif me == 1:
    comm.Send(a, dest=0, tag=7); a[:] = -1
    comm.Recv(b, source=0, tag=7)
b[:] = me
if me < 2:
    status = MPI.Status()
    comm.Send(a, dest=1 - me, tag=8)
    comm.Sendrecv_replace(b, dest=1 - me, sendtag=9, source=MPI.ANY_SOURCE, recvtag=9, status=status)
    assert (b == 1 - me).all() and status.Get_source() == 1 - me and status.Get_count(MPI.DOUBLE) == 300000
    comm.Recv(a, source=1 - me, tag=8)
print('right', flush=True)
",
    );
    for ranks in [2, 3] {
        let ended = rescue(lab, ranks, &[], &["sends.py"]);
        ended.expect(0, &["comm.send", "comm.Send"]);
        assert_eq!(ended.out, "right\n".repeat(ranks as usize));
        let found = rescued(lab);
        assert!(lines(&found).starts_with(&[7, 9, 12, 16]), "{found:#?}");
        assert!(lines(&found).contains(&23), "{found:#?}");
    }
}

fn communicators(lab: &Lab) {
    lab.file(
        "communicators.py",
        "\
from mpi4py import MPI
import numpy as np
world = MPI.COMM_WORLD
big = np.full(300000, world.rank, dtype='d'); got = np.empty(300000)
half = world.Split(world.rank % 2, -world.rank)
half.Send(big, dest=1 - half.rank)
half.Recv(got, source=1 - half.rank)
assert (got == (world.rank + 2) % 4).all()
other = world.Dup()
other.Send(big, dest=world.rank)          # to itself, before the receive
other.Recv(got, source=world.rank)
assert (got == world.rank).all()
leader = 3 if world.rank % 2 == 0 else 2
inter = half.Create_intercomm(0, world, leader, 3)
inter.Send(big, dest=half.rank); big[:] = -1
inter.Recv(got, source=half.rank)
assert (got == (world.rank ^ 1)).all()
other.Free()
print('right', flush=True)
",
    );
    let ended = rescue(lab, 4, &[], &["communicators.py"]);
    ended.expect(0, &[]);
    assert_eq!(ended.out, "right\n".repeat(4));
    let found = rescued(lab);
    assert_eq!(lines(&found), [6, 10, 15], "{found:#?}");
}

const GOOD_SENDS: &str = "\
from mpi4py import MPI
import numpy as np
comm = MPI.COMM_WORLD
a = np.zeros(200000)
for step in range(20):
    if comm.rank == 0:
        comm.Send(a, dest=1); comm.send('word', dest=1)
    else:
        comm.Recv(a, source=0); comm.recv(source=0)
";

fn no_rescue_needed(lab: &Lab) {
    lab.file("good.py", GOOD_SENDS);
    rescue(lab, 2, &[], &["good.py"]).expect(0, &["clean"]);
    assert_eq!(rescued(lab), []);
}

fn always(lab: &Lab) {
    let ring = ring(lab, RING);
    let ended = rescue(lab, 3, &["--rescue=always"], &[&ring, "100000", "4"]);
    ended.expect(0, &["--rescue=always asked for that"]);
    assert_eq!(lines(&rescued(lab)), [RING_SEND]);
    let ended = rescue(
        lab,
        3,
        &["--rescue=always", "--strict"],
        &[&ring, "100000", "4"],
    );
    ended.expect(98, &[]);
}

fn receives_first(lab: &Lab) {
    lab.file("receives.py", DEADLOCK);
    rescue(lab, 2, &[], &["receives.py"]).expect(99, &["deadlock", "no way out", "receives.py:4"]);
    assert_eq!(lab.report().verdict, Verdict::Deadlock);
}

fn memory_used_up(lab: &Lab) {
    let ring = ring(lab, RING);
    let small = ["--rescue", "--rescue-memory", "100k"];
    rescue(lab, 2, &small, &[&ring, "100000", "4"])
        .expect(99, &["deadlock", "--rescue-memory", "ring.c:14"]);
    lab.file("good.py", GOOD_SENDS);
    rescue(lab, 2, &small, &["good.py"]).expect(0, &["clean"]);
}

fn never_received(lab: &Lab) {
    lab.file(
        "lost.py",
        "\
from mpi4py import MPI
import numpy as np
comm = MPI.COMM_WORLD
if comm.rank == 0:
    comm.Send(np.zeros(300000), dest=1)
print('done', flush=True)
",
    );
    let ended = rescue(lab, 2, &[], &["lost.py"]);
    ended.expect(0, &["never received", "lost.py:5"]);
    assert_eq!(ended.out, "done\n".repeat(2));
    let kinds: Vec<FindingKind> = lab.report().findings.into_iter().map(|f| f.kind).collect();
    assert_eq!(
        kinds,
        [FindingKind::RescuedSend, FindingKind::UnreceivedMessage]
    );
}

fn freed_requests(lab: &Lab) {
    lab.file(
        "freed.py",
        "\
from mpi4py import MPI
import numpy as np
comm = MPI.COMM_WORLD
other = 1 - comm.rank
b = np.empty(300000)
for step in range(3):
    a = np.full(300000, step, dtype='d')
    comm.Isend(a, dest=other, tag=step).Free()
    comm.Send(a, dest=other, tag=100 + step); a[:] = -1
    for tag in step, 100 + step:
        comm.Recv(b, source=other, tag=tag)
        assert (b == step).all()
print('right', flush=True)
",
    );
    let ended = rescue(lab, 2, &[], &["freed.py"]);
    ended.expect(0, &["freed.py:9"]);
    assert_eq!(ended.out, "right\n".repeat(2));
}

/// Rank 0 is in MPI_Finalize with a message that rank 1 takes only after standoff is gone.
fn standoff_killed(lab: &Lab) {
    lab.file(
        "killed.py",
        "\
from mpi4py import MPI
import numpy as np, lab, os, signal
comm = MPI.COMM_WORLD
a = np.full(300000, 1.0)
if comm.rank == 0:
    comm.Send(a, dest=1); a[:] = -1
    comm.recv(source=1)
else:
    comm.Send(a, dest=0, tag=1)
    comm.send('go', dest=0)
    owner = int(open(os.environ['STANDOFF_SESSION'] + '/owner').read().split()[0])
    os.kill(owner, signal.SIGKILL)
    comm.Recv(a, source=0)
    assert (a == 1).all()
    lab.make('received')
",
    );
    let child = lab.start(&mut lab.standoff(&["run", "--rescue", "-n", "2", "killed.py"]));
    let ended = lab.end(child);
    assert_eq!(ended.signal, Some(libc::SIGKILL), "{ended:#?}");
    assert!(lab.path("received").exists(), "{ended:#?}");
}

/// `--on-deadlock CMD`: runs while the job is still there, with the report's path; the job is ended after it.
fn command_on_deadlock(lab: &Lab) {
    lab.file("deadlock.py", DEADLOCK);
    lab.script(
        "requeue",
        "#!/bin/sh
echo \"$1 $(grep -c '\"verdict\": \"deadlock\"' \"$2\")\" > told
for pid in /proc/[0-9]*; do
    tr '\\0' '\\n' < $pid/environ 2>/dev/null | grep -qx \"STANDOFF_TEST_RUN=$STANDOFF_TEST_RUN\" || continue
    tr '\\0' ' ' < $pid/cmdline | grep -q 'python.* deadlock.py' && echo rank >> told
done
",
    );
    let command = format!("{} again", lab.path("requeue").display());
    lab.run(&["run", "-n", "2", "--on-deadlock", &command, "deadlock.py"])
        .expect(99, &["deadlock"]);
    let told = std::fs::read_to_string(lab.path("told")).unwrap();
    assert!(told.starts_with("again 1\n"), "{told}");
    assert!(told.matches("rank").count() >= 2, "{told}");
    let left = std::fs::read_dir(lab.path("tmp")).unwrap().flatten();
    let left: Vec<_> = left
        .filter(|e| e.file_name().to_string_lossy().contains("report"))
        .collect();
    assert!(left.is_empty(), "{left:?}");

    lab.run(&["run", "-n", "2", "--on-deadlock", "./none", "deadlock.py"])
        .expect(99, &["cannot start ./none", "deadlock"]);
    lab.run(&["run", "-n", "2", "--on-deadlock", "abort", "deadlock.py"])
        .expect(99, &["deadlock"]);
}
