// standoff: title: ranks disagree on the root of a broadcast, and nothing is broadcast this time
// standoff: ranks: 4
// standoff: expect: clean
// standoff: warns: collective-mismatch
// standoff: text: ranks 0, 2 and 3 called MPI_Bcast with root 0
// standoff: text: rank 1 called MPI_Bcast with root 1
// standoff: cured: bcast_empty_two_roots_cured
// standoff: check: potential-deadlock
// standoff: check-confirmed: no (an empty broadcast waits for nobody, whoever is its root)
// standoff: check-warns: collective-mismatch
#include <mpi.h>
#include <stdio.h>

enum { ROUNDS = 3, ROOM = 100 };

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank, cells[ROOM] = {0};
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    int owner = rank == 1 ? 1 : 0;
    // How many cells move; with this input none ever does.
    for (int round = 0; round < ROUNDS; round++) {
        int moved = 0, all = 0;
        MPI_Allreduce(&moved, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
        MPI_Bcast(cells, all, MPI_INT, owner, MPI_COMM_WORLD);  // @warn // @check-warn // @check 0-3
    }
    if (rank == 0)
        printf("cell %d\n", cells[0]);
    MPI_Finalize();
    return 0;
}
