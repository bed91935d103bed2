//! What is repaired.

use std::fs;

use super::*;

pub fn opening(lab: &Lab) {
    lab.file("recipe.py", OPENING);
    let ended = fix(lab, "4", "2,3", "recipe.py");
    ended.expect(0, &["deadlock: ranks 1 and 2"]);
    // Of 2 ranks there is no rank 2: that number does not count.
    proved(
        lab,
        "swap",
        &[4, 3],
        "+    comm.send(\"a\", dest=2); got = comm.recv(source=2)\n",
    );
    proved(
        lab,
        "swap",
        &[4, 3],
        "+    comm.send(\"b\", dest=1); got = comm.recv(source=1)\n",
    );
    proved(
        lab,
        "join",
        &[4, 3],
        "+    got = comm.sendrecv(\"b\", dest=1, source=1)\n",
    );
    proved(
        lab,
        "nonblocking",
        &[4, 3],
        "request = comm.isend(\"a\", dest=2)",
    );
    let refused = refused(lab);
    assert!(refused.contains("both sides send first"), "{refused}");
    assert!(refused.contains("above about"), "{refused}");
    assert!(!patches(lab).iter().any(|p| p.0 == "half-cure"));
    assert!(
        ended
            .out
            .contains("proved deadlock-free with 4 and 3 ranks"),
        "{ended:#?}"
    );
    assert!(
        ended.out.contains("the results are right is not proved"),
        "{ended:#?}"
    );
    assert_eq!(fs::read_to_string(lab.path("recipe.py")).unwrap(), OPENING);
}

/// From a witness of check; what the program prints is compared.
pub fn half_cure_is_cured(lab: &Lab) {
    lab.file(
        "half.py",
        "\
from mpi4py import MPI
comm = MPI.COMM_WORLD
peer = comm.rank ^ 1
comm.send(comm.rank, dest=peer)
got = comm.recv(source=peer)
print('got', got, flush=True)
",
    );
    let ended = fix(lab, "2", "4", "half.py");
    ended.expect(0, &["potential deadlock"]);
    proved(lab, "swap", &[2, 4], "+if comm.rank < peer:\n");
    proved(
        lab,
        "join",
        &[2, 4],
        "+got = comm.sendrecv(comm.rank, dest=peer, source=peer)\n",
    );
    assert!(!ended.out.contains("output differs"), "{ended:#?}");
}

const RING: &str = "\
import numpy as np
from mpi4py import MPI
comm = MPI.COMM_WORLD
right, left = (comm.rank + 1) % comm.size, (comm.rank - 1) % comm.size
mine, theirs = np.full(4, comm.rank), np.empty(4, dtype=int)
for step in range(2):
    comm.Recv(theirs, source=left, tag=step)
    comm.Send(mine, dest=right, tag=step)
    mine[:] = theirs
";

pub fn odd_ring(lab: &Lab) {
    if !has_numpy(lab) {
        lab.file(
            "ring.py",
            &RING
                .replace("import numpy as np\n", "from array import array\n")
                .replace(
                    "np.full(4, comm.rank), np.empty(4, dtype=int)",
                    "array('i', [comm.rank] * 4), array('i', [0] * 4)",
                ),
        );
    } else {
        lab.file("ring.py", RING);
    }
    fix(lab, "3", "2", "ring.py").expect(0, &["deadlock"]);
    proved(lab, "swap", &[3, 2], "+    if comm.rank % 2 == 0:\n");
    proved(
        lab,
        "join",
        &[3, 2],
        "comm.Sendrecv(mine, dest=right, sendtag=step, recvbuf=theirs, source=left, recvtag=step)",
    );
}

pub fn halo(lab: &Lab) {
    lab.file(
        "halo.py",
        "\
from mpi4py import MPI


def exchange(comm, u, left, right):
    comm.ssend(u[1], dest=left)
    comm.ssend(u[-2], dest=right)
    u[-1] = comm.recv(source=right)
    u[0] = comm.recv(source=left)


def main():
    comm = MPI.COMM_WORLD
    left, right = (comm.rank - 1) % comm.size, (comm.rank + 1) % comm.size
    u = [comm.rank] * 5
    for _ in range(2):
        exchange(comm, u, left, right)
    print(u, flush=True)


main()
",
    );
    fix(lab, "3", "4", "halo.py").expect(0, &["deadlock"]);
    proved(
        lab,
        "nonblocking",
        &[3, 4],
        "+    request_2 = comm.issend(u[-2], dest=right)\n",
    );
}

pub fn buffers_in_c(lab: &Lab) {
    let program = compiled(lab, SHIFT);
    fix(lab, "3", "2", &program).expect(0, &["deadlock"]);
    proved(
        lab,
        "join",
        &[3, 2],
        "MPI_Sendrecv(edge, CELLS, MPI_DOUBLE, right, 0, ghost, CELLS, MPI_DOUBLE, left, 0, comm, MPI_STATUS_IGNORE);",
    );
    proved(lab, "swap", &[3, 2], "+    if (rank % 2 == 0) {\n");
    proved(
        lab,
        "nonblocking",
        &[3, 2],
        "+    MPI_Wait(&request, MPI_STATUS_IGNORE);\n",
    );
    // As the user compiles it, in a copy of the directory.
    let mpicc = lab.environment.program("mpicc");
    let build = format!("{} -g shift.c -o shift", mpicc.display());
    lab.run(&[
        "fix", "-n", "3", "--sizes", "3", "--build", &build, "--json", "fix.json", &program,
    ])
    .expect(0, &[]);
    proved(lab, "join", &[3], "MPI_Sendrecv(");
}

pub fn conditional_collective(lab: &Lab) {
    lab.file(
        "save.py",
        "\
from mpi4py import MPI
comm = MPI.COMM_WORLD
if comm.rank == 0:
    print('saved', flush=True)
    comm.barrier()
print('on', flush=True)
",
    );
    fix(lab, "3", "2", "save.py").expect(0, &["deadlock"]);
    proved(
        lab,
        "move-collective",
        &[3, 2],
        "-    comm.barrier()\n+comm.barrier()\n",
    );
}

pub fn tag_typo(lab: &Lab) {
    lab.file(
        "typo.py",
        "\
from mpi4py import MPI
comm = MPI.COMM_WORLD
if comm.rank == 0:
    comm.send('work', dest=1, tag=12)
    print(comm.recv(source=1, tag=2))
elif comm.rank == 1:
    job = comm.recv(source=0, tag=21)
    comm.send('done', dest=0, tag=2)
",
    );
    fix(lab, "2", "3", "typo.py").expect(0, &["deadlock"]);
    proved(
        lab,
        "correct",
        &[2, 3],
        "+    job = comm.recv(source=0, tag=12)\n",
    );
    proved(
        lab,
        "correct",
        &[2, 3],
        "+    comm.send('work', dest=1, tag=21)\n",
    );
}

/// The file is none of MPI's: rank 2 comes first in the recorded run, and rank 1 may in another.
pub fn wildcard(lab: &Lab) {
    lab.file(
        "first.py",
        "\
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
",
    );
    fix(lab, "3", "3", "first.py").expect(0, &["potential deadlock"]);
    proved(
        lab,
        "correct",
        &[3],
        "+    first = comm.recv(source=2, tag=1)\n",
    );
}

pub fn guard(lab: &Lab) {
    lab.file(
        "raises.py",
        "\
from mpi4py import MPI
comm = MPI.COMM_WORLD
if comm.rank == 1:
    raise KeyError('steps')
comm.recv(source=1)
",
    );
    let ended = fix(lab, "2", "2", "raises.py");
    ended.expect(99, &["KeyError"]);
    let all = patches(lab);
    assert_eq!(
        (all[0].0.as_str(), all[0].1.as_str(), all.len()),
        ("guard", "guard", 1),
        "{all:#?}"
    );
    assert!(!ended.out.contains("deadlock-free with"), "{ended:#?}");
    assert!(ended.out.contains("it cures nothing"), "{ended:#?}");
}

pub fn two_deadlocks(lab: &Lab) {
    lab.file(
        "two.py",
        "\
from mpi4py import MPI


def first(comm, peer):
    got = comm.recv(source=peer, tag=1)
    comm.send('a', dest=peer, tag=1)


def second(comm, peer):
    other = comm.recv(source=peer, tag=2)
    comm.send('b', dest=peer, tag=2)


comm = MPI.COMM_WORLD
first(comm, 1 - comm.rank)
second(comm, 1 - comm.rank)
",
    );
    fix(lab, "2", "2", "two.py").expect(0, &["two.py:5"]);
    let all = patches(lab);
    let both = all
        .iter()
        .find(|p| p.3.contains("tag=1") && p.3.contains("tag=2"));
    let best = both.expect("a patch for both");
    assert_eq!(
        (best.1.as_str(), best.2.as_slice()),
        ("proved", [2].as_slice())
    );
    assert!(
        all.iter()
            .all(|p| p.3.contains("first(") && p.3.contains("second(")),
        "{all:#?}"
    );
}
