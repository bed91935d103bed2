//! `run --rescue`, for sends whose requests the program keeps: persistent ones, and those it waits for with `MPI_Waitany`, `MPI_Waitsome` or by polling.

mod common;
#[path = "common/rescued.rs"]
mod rescued;

use std::process::ExitCode;

use common::{Ended, Lab};
use rescued::{lines, rescued, ring};

fn main() -> ExitCode {
    common::main(&[
        ("every_way_to_complete_in_c", every_way_in_c),
        ("every_way_to_complete_in_python", every_way_in_python),
        ("persistent_handles_are_kept", handles_are_kept),
        ("nothing_to_rescue", nothing_to_rescue),
        ("always", always),
        ("one_of_two_is_told", one_of_two_is_told),
        ("testall_is_all_or_nothing", testall_is_all_or_nothing),
    ])
}

/// Every rank sends to the next before it receives, twice a round, and overwrites what it sent as soon as MPI says that it may. Arguments: how the sends are
/// completed, integers in a message, rounds.
const RING: &str = "\
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static MPI_Request requests[3];
static void complete(char how) {
    int flag = 0, index, count, list[3], left = 2;
    MPI_Status statuses[3];
    switch (how) {
    case 'w': MPI_Wait(&requests[0], MPI_STATUS_IGNORE); MPI_Wait(&requests[1], &statuses[0]); return;
    case 'l': MPI_Waitall(3, requests, statuses); return;
    case 'a': while (left--) {
        MPI_Waitany(3, requests, &index, &statuses[0]);
        if (index != 0 && index != 1) MPI_Abort(MPI_COMM_WORLD, 3);
    }
    return;
    case 's': while (left > 0) {
        MPI_Waitsome(3, requests, &count, list, statuses);
        if (count < 1 || count > left) MPI_Abort(MPI_COMM_WORLD, 4);
        left -= count;
    }
    return;
    case 't': for (int i = 0; i < 2; i++) { flag = 0; while (!flag) MPI_Test(&requests[i], &flag, MPI_STATUS_IGNORE); } return;
    case 'T': while (!flag) MPI_Testall(3, requests, &flag, statuses); return;
    case 'A': while (left) { MPI_Testany(3, requests, &index, &flag, &statuses[0]); if (flag) left--; } return;
    case 'S': while (left) { MPI_Testsome(3, requests, &count, list, statuses); left -= count; } return;
    case 'g': for (int i = 0; i < 2; i++) { flag = 0; while (!flag) MPI_Request_get_status(requests[i], &flag, MPI_STATUS_IGNORE); }
        MPI_Waitall(3, requests, MPI_STATUSES_IGNORE); return;
    case 'c': MPI_Cancel(&requests[0]); MPI_Cancel(&requests[1]); MPI_Waitall(3, requests, statuses);
        for (int i = 0; i < 2; i++) { MPI_Test_cancelled(&statuses[i], &flag); if (flag) MPI_Abort(MPI_COMM_WORLD, 5); }
        return;
    }
}
int main(int argc, char **argv) {
    char how = argv[1][0];
    int persistent = argv[1][1] == 'p', n = atoi(argv[2]), rounds = atoi(argv[3]), rank, size, wrong = 0;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int *out = malloc(2 * n * sizeof *out), *in = malloc(n * sizeof *in);
    int to = (rank + 1) % size, from = (rank + size - 1) % size;
    MPI_Datatype type;
    MPI_Type_contiguous(n, MPI_INT, &type);
    MPI_Type_commit(&type);
    requests[2] = MPI_REQUEST_NULL;
    if (persistent) {
        MPI_Send_init(out, 1, type, to, 1, MPI_COMM_WORLD, &requests[0]);
        MPI_Send_init(out + n, n, MPI_INT, to, 2, MPI_COMM_WORLD, &requests[1]);
    }
    MPI_Type_free(&type);
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < 2 * n; i++) out[i] = rank * 1000003 + i + round;
        if (persistent) {
            MPI_Startall(2, requests);
        } else {
            MPI_Isend(out, n, MPI_INT, to, 1, MPI_COMM_WORLD, &requests[0]);
            MPI_Isend(out + n, n, MPI_INT, to, 2, MPI_COMM_WORLD, &requests[1]);
        }
        complete(how);
        memset(out, 0xff, 2 * n * sizeof *out);
        for (int tag = 1; tag <= 2; tag++) {
            MPI_Recv(in, n, MPI_INT, from, tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            for (int i = 0; i < n; i++) wrong += in[i] != from * 1000003 + (tag - 1) * n + i + round;
        }
    }
    if (persistent) { MPI_Request_free(&requests[0]); MPI_Request_free(&requests[1]); }
    MPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    if (rank == 0) printf(\"%d wrong\\n\", wrong);
    MPI_Finalize();
    return wrong != 0;
}
";
const START: u32 = 54;
const ISENDS: [u32; 2] = [56, 57];

fn rescue(lab: &Lab, ranks: u32, option: &str, program: &[&str]) -> Ended {
    let ranks = ranks.to_string();
    let mut words = vec!["run", "-n", &ranks, "--json", "report.json", option];
    words.extend(program);
    lab.run(&words)
}

fn every_way_in_c(lab: &Lab) {
    let ring = ring(lab, RING);
    // Polls are rescued after the 5 seconds in which they are no stall.
    for how in ["wp", "lp", "ap", "sp", "a", "s", "tp", "T", "Ap", "S"] {
        let ranks = match how {
            "lp" => 16,
            "ap" | "s" => 5,
            "T" | "sp" => 3,
            _ => 2,
        };
        let ended = rescue(lab, ranks, "--rescue", &[&ring, how, "60000", "3"]);
        ended.expect(0, &["standoff let go on"]);
        assert_eq!(ended.out, "0 wrong\n", "{how}");
        let found = lines(&rescued(lab));
        if how.ends_with('p') {
            assert_eq!(found, [START], "{how}");
        } else {
            assert!(!found.is_empty(), "{how}");
            assert!(found.iter().all(|line| ISENDS.contains(line)), "{how}");
        }
    }
    // What the library is asked of a persistent send makes it a buffered one.
    for how in ["gp", "cp"] {
        let ended = rescue(lab, 2, "--rescue", &[&ring, how, "60000", "3"]);
        ended.expect(0, &[]);
        assert_eq!(ended.out, "0 wrong\n", "{how}");
        assert_eq!(lines(&rescued(lab)), [START], "{how}");
    }
}

fn every_way_in_python(lab: &Lab) {
    lab.file(
        "halo.py",
        "\
import sys
from mpi4py import MPI
import numpy as np
comm = MPI.COMM_WORLD
me, n = comm.rank, comm.size
left, right = (me - 1) % n, (me + 1) % n
class Halo:
    def __init__(self, width):
        self.out, self.ghost = np.empty((2, width)), np.empty((2, width))
        self.sends = [comm.Send_init(self.out[0], left, tag=1), comm.Send_init(self.out[1], right, tag=2)]
        self.receives = [comm.Recv_init(self.ghost[0], left, tag=2), comm.Recv_init(self.ghost[1], right, tag=1)]
    def step(self, wait):
        MPI.Prequest.Startall(self.sends)
        wait(self.sends)
        self.out[:] = -1
        MPI.Prequest.Startall(self.receives)
        MPI.Request.Waitall(self.receives)
    def close(self):
        for request in self.sends + self.receives:
            request.Free()
def one_by_one(requests):
    done = [MPI.Request.Waitany(requests) for _ in requests]
    assert sorted(done) == [0, 1], done
    assert MPI.Request.Waitany(requests) == MPI.UNDEFINED
def some(requests):
    done = []
    while len(done) < 2:
        done += MPI.Request.Waitsome(requests)
    assert sorted(done) == [0, 1], done
    assert MPI.Request.Waitsome(requests) is None
def each(requests):
    for request in requests:
        status = MPI.Status()
        request.Wait(status)
        assert not status.Is_cancelled() and status.Get_count(MPI.BYTE) == 0
halo = Halo(200000)
for step, wait in enumerate([one_by_one, some, each, MPI.Request.Waitall, one_by_one, some]):
    halo.out[:] = [[me * 10 + step], [me * 10 + step + 5]]
    halo.step(wait)
    assert (halo.ghost[0] == left * 10 + step + 5).all(), (step, halo.ghost[0])
    assert (halo.ghost[1] == right * 10 + step).all(), (step, halo.ghost[1])
halo.close()
print('right', flush=True)
",
    );
    for ranks in [2, 4] {
        let ended = rescue(lab, ranks, "--rescue", &["halo.py"]);
        ended.expect(0, &["halo.py:13"]);
        assert_eq!(ended.out, "right\n".repeat(ranks as usize));
        assert_eq!(lines(&rescued(lab)), [13]);
    }
}

/// Copies of a handle, a freed type and communicator, requests freed and reused while their message is under way, order among persistent and other sends, and
/// a program that leaves a started send to MPI_Finalize.
fn handles_are_kept(lab: &Lab) {
    lab.file(
        "kept.c",
        "\
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
enum { N = 50000 };
static int out[2 * N], in[2 * N], rank;
static int wrong(int from, int value, int stride) {
    int bad = 0;
    for (int i = 0; i < 2 * N; i += stride) bad += in[i] != value + from * 100;
    return bad;
}
static void fill(int value) { for (int i = 0; i < 2 * N; i++) out[i] = value + rank * 100; }
int main(int argc, char **argv) {
    int bad = 0;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    int other = 1 - rank;
    MPI_Comm mine;
    MPI_Comm_dup(MPI_COMM_WORLD, &mine);
    MPI_Datatype columns;
    MPI_Type_vector(N, 1, 2, MPI_INT, &columns);
    MPI_Type_commit(&columns);
    MPI_Request request, copy;
    MPI_Send_init(out, 1, columns, other, 1, mine, &request);
    MPI_Type_free(&columns);
    copy = request;
    for (int round = 0; round < 3; round++) {
        fill(round);
        MPI_Start(&copy);
        MPI_Wait(&request, MPI_STATUS_IGNORE);
        if (request != copy) bad += 1000;
        fill(-1);
        /* The same channel, behind the persistent one. */
        MPI_Send(out, N, MPI_INT, other, 1, mine);
        MPI_Type_vector(N, 1, 2, MPI_INT, &columns);
        MPI_Type_commit(&columns);
        MPI_Recv(in, 1, columns, other, 1, mine, MPI_STATUS_IGNORE);
        bad += wrong(other, round, 2);
        MPI_Recv(in, N, MPI_INT, other, 1, mine, MPI_STATUS_IGNORE);
        bad += in[0] != -1 + other * 100 || in[N - 1] != -1 + other * 100;
        MPI_Type_free(&columns);
    }
    /* Freed while it is under way. */
    fill(7);
    MPI_Start(&request);
    MPI_Request_free(&request);
    MPI_Send_init(out, 2 * N, MPI_INT, other, 2, MPI_COMM_WORLD, &request);
    fill(8);
    MPI_Start(&request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    fill(9);
    MPI_Recv(in, 2 * N, MPI_INT, other, 2, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    bad += wrong(other, 8, 1);
    MPI_Type_vector(N, 1, 2, MPI_INT, &columns);
    MPI_Type_commit(&columns);
    MPI_Recv(in, 1, columns, other, 1, mine, MPI_STATUS_IGNORE);
    MPI_Type_free(&columns);
    bad += wrong(other, 7, 2);
    MPI_Comm_free(&mine);
    MPI_Request_free(&request);
    MPI_Request none[2] = {MPI_REQUEST_NULL, MPI_REQUEST_NULL};
    MPI_Send_init(out, 4, MPI_INT, other, 3, MPI_COMM_WORLD, &none[0]);
    int index = 0, flag = 0, count = 0, list[2];
    MPI_Waitany(2, none, &index, MPI_STATUS_IGNORE);
    bad += index != MPI_UNDEFINED;
    MPI_Testany(2, none, &index, &flag, MPI_STATUS_IGNORE);
    bad += index != MPI_UNDEFINED || !flag;
    MPI_Waitsome(2, none, &count, list, MPI_STATUSES_IGNORE);
    bad += count != MPI_UNDEFINED;
    MPI_Wait(&none[0], MPI_STATUS_IGNORE);
    MPI_Request_free(&none[0]);
    printf(\"%d wrong\\n\", bad);
    MPI_Finalize();
    return 0;
}
",
    );
    let compiler = lab.environment.program("mpicc");
    let program = lab.compile(compiler.as_os_str(), &lab.path("kept.c"), "kept");
    let ended = rescue(lab, 2, "--rescue", &[program.to_str().unwrap()]);
    ended.expect(0, &["kept.c:28"]);
    assert_eq!(ended.out, "0 wrong\n0 wrong\n");
    assert_eq!(lines(&rescued(lab)), [28, 33, 48]);
}

/// Programs that are right stay as they are, and nothing is said of them. (No persistent send to nobody: `MPI_Waitany` of MPICH 5.0.2 passes a started one over.)
fn nothing_to_rescue(lab: &Lab) {
    lab.file(
        "good.py",
        "\
from mpi4py import MPI
import numpy as np
comm = MPI.COMM_WORLD
me, n = comm.rank, comm.size
left, right = (me - 1) % n, (me + 1) % n
out, ghost = np.empty((2, 100000)), np.empty((2, 100000))
requests = [comm.Recv_init(ghost[0], left, tag=2), comm.Recv_init(ghost[1], right, tag=1),
            comm.Send_init(out[0], left, tag=1), comm.Send_init(out[1], right, tag=2),
            comm.Ssend_init(out[0], left, tag=4),
            comm.Recv_init(ghost[0][:0], right, tag=5), comm.Send_init(out[0][:0], left, tag=5)]
sync = np.empty(100000)
for step in range(10):
    out[:] = [[me * 100 + step], [me * 100 + step + 50]]
    later = comm.Irecv(sync, right, tag=4)
    MPI.Prequest.Startall(requests)
    if step % 3 == 0:
        done = [MPI.Request.Waitany(requests) for _ in requests]
        assert sorted(done) == list(range(7)), done
    elif step % 3 == 1:
        while not MPI.Request.Testall(requests):
            pass
    else:
        done = []
        while len(done) < 7:
            done += MPI.Request.Testsome(requests) or []
        assert sorted(done) == list(range(7)), done
    later.Wait()
    assert (ghost[0] == left * 100 + step + 50).all() and (ghost[1] == right * 100 + step).all()
for request in requests:
    request.Free()
print('right', flush=True)
",
    );
    for ranks in [2, 3] {
        let ended = rescue(lab, ranks, "--rescue", &["good.py"]);
        ended.expect(0, &["clean"]);
        assert_eq!(ended.out, "right\n".repeat(ranks as usize));
        assert_eq!(rescued(lab), []);
    }
}

fn always(lab: &Lab) {
    let ring = ring(lab, RING);
    for how in ["ap", "S"] {
        let ended = rescue(lab, 3, "--rescue=always", &[&ring, how, "60000", "4"]);
        ended.expect(0, &["--rescue=always asked for that"]);
        assert_eq!(ended.out, "0 wrong\n");
    }
}

/// A receive and a send, one of which the program needs: Waitany tells of the send once, and then of the receive.
fn one_of_two_is_told(lab: &Lab) {
    lab.file(
        "mixed.py",
        "\
from mpi4py import MPI
import numpy as np
comm = MPI.COMM_WORLD
other = 1 - comm.rank
for make in comm.Isend, comm.Send_init:
    out, back, got = np.full(100000, comm.rank, dtype='d'), np.empty(1), np.empty(100000)
    answer = comm.Irecv(back, other, tag=2)
    send = make(out, other, tag=1)
    if make == comm.Send_init:
        send.Start()
    requests = [answer, send]
    status = MPI.Status()
    assert MPI.Request.Waitany(requests, status) == 1
    out[:] = -1
    comm.Recv(got, other, tag=1)
    assert (got == other).all()
    comm.Send(got[:1], other, tag=2)
    assert MPI.Request.Waitany(requests, status) == 0 and status.Get_source() == other
    assert back[0] == comm.rank
    assert MPI.Request.Waitany(requests, status) == MPI.UNDEFINED
    if make == comm.Send_init:
        send.Free()
    comm.Barrier()
print('right', flush=True)
",
    );
    let ended = rescue(lab, 2, "--rescue", &["mixed.py"]);
    ended.expect(0, &["mixed.py:8", "mixed.py:10"]);
    assert_eq!(ended.out, "right\nright\n");
    assert_eq!(lines(&rescued(lab)), [8, 10]);
}

/// `MPI_Testall` that does not find all complete leaves the others as they are, also those that could be let go.
fn testall_is_all_or_nothing(lab: &Lab) {
    let program = ring(
        lab,
        "\
#include <mpi.h>
#include <stdio.h>
#define N 100000
static int out[N], in[N];
int main(int argc, char **argv) {
    int rank, flag = 0, answer = 0, bad = 0;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    for (int round = 0; round < 3; round++) {
        if (rank == 0) {
            MPI_Request requests[2];
            for (int i = 0; i < N; i++) out[i] = i + round;
            MPI_Isend(out, N, MPI_INT, 1, 1, MPI_COMM_WORLD, &requests[0]);
            MPI_Irecv(&answer, 1, MPI_INT, 1, 2, MPI_COMM_WORLD, &requests[1]);
            for (int i = 0; i < 100; i++) {
                MPI_Testall(2, requests, &flag, MPI_STATUSES_IGNORE);
                bad += flag || requests[0] == MPI_REQUEST_NULL || requests[1] == MPI_REQUEST_NULL;
            }
            MPI_Ssend(&rank, 1, MPI_INT, 1, 3, MPI_COMM_WORLD);
            for (flag = 0; !flag;) MPI_Testall(2, requests, &flag, MPI_STATUSES_IGNORE);
            bad += answer != 5 || requests[0] != MPI_REQUEST_NULL || requests[1] != MPI_REQUEST_NULL;
            for (int i = 0; i < N; i++) out[i] = -1;
            MPI_Ssend(&rank, 1, MPI_INT, 1, 4, MPI_COMM_WORLD);
        } else if (rank == 1) {
            answer = 5;
            MPI_Recv(&flag, 1, MPI_INT, 0, 3, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            MPI_Send(&answer, 1, MPI_INT, 0, 2, MPI_COMM_WORLD);
            MPI_Recv(&flag, 1, MPI_INT, 0, 4, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            MPI_Recv(in, N, MPI_INT, 0, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            for (int i = 0; i < N; i++) bad += in[i] != i + round;
        }
    }
    MPI_Allreduce(MPI_IN_PLACE, &bad, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    if (rank == 0) printf(\"%d wrong\\n\", bad);
    MPI_Finalize();
    return 0;
}
",
    );
    let ended = rescue(lab, 2, "--rescue=always", &[&program]);
    ended.expect(0, &[]);
    assert_eq!(ended.out, "0 wrong\n");
    assert_eq!(lines(&rescued(lab)), [13]);
}
