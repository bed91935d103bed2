//! Communications that change places across functions, sends that are waited for later, ranks that take part before they leave.

use super::common::Lab;
use super::{compiled, fix, proved};

/// Rank 0 sends its own share to itself before it receives it.
pub fn later_waits(lab: &Lab) {
    lab.file(
        "shares.py",
        "\
from mpi4py import MPI
comm = MPI.COMM_WORLD
if comm.rank == 0:
    for rank in range(comm.size):
        comm.send(list(range(rank)), dest=rank)
share = comm.recv(source=0)
print(comm.rank, share, flush=True)
",
    );
    fix(lab, "3", "2", "shares.py").expect(0, &["potential deadlock"]);
    proved(
        lab,
        "nonblocking",
        &[3, 2],
        "+        requests.append(comm.isend(list(range(rank)), dest=rank))\n",
    );
}

pub fn calls_change_places(lab: &Lab) {
    let program = compiled(
        lab,
        "\
#include <mpi.h>
#include \"cells.h\"
static void hand_over(int cell) {
    MPI_Ssend(&cell, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);
}
static void close_epoch(void) {
    MPI_Barrier(MPI_COMM_WORLD);
}
int main(int argc, char **argv) {
    int rank, size, cell;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (rank == 0) {
        close_epoch();
        for (int from = 1; from < size; from++)
            MPI_Recv(&cell, 1, MPI_INT, from, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    } else {
        hand_over(rank + CELLS);
        close_epoch();
    }
    MPI_Finalize();
    return 0;
}
",
    );
    fix(lab, "3", "2", &program).expect(0, &["deadlock"]);
    proved(
        lab,
        "swap",
        &[3, 2],
        "+        close_epoch();\n         hand_over(rank + CELLS);\n-        close_epoch();\n",
    );
}

pub fn leaves_before_a_collective(lab: &Lab) {
    lab.file(
        "early.py",
        "\
from mpi4py import MPI


def total(comm, cells):
    if not cells:
        return 0
    return comm.allreduce(len(cells))


def main():
    comm = MPI.COMM_WORLD
    total(comm, [] if comm.rank == 1 else [1, 2])


main()
",
    );
    fix(lab, "3", "2", "early.py").expect(0, &["deadlock"]);
    proved(
        lab,
        "move-collective",
        &[3, 2],
        "+        comm.allreduce(len(cells))\n         return 0\n",
    );
}
