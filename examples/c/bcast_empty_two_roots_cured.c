// standoff: title: all ranks name one root for a broadcast of nothing
// standoff: ranks: 4
// standoff: expect: clean
// standoff: check: clean
#include <mpi.h>
#include <stdio.h>

enum { ROUNDS = 3, ROOM = 100 };

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank, cells[ROOM] = {0};
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    int owner = 0;
    // How many cells move; with this input none ever does.
    for (int round = 0; round < ROUNDS; round++) {
        int moved = 0, all = 0;
        MPI_Allreduce(&moved, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
        MPI_Bcast(cells, all, MPI_INT, owner, MPI_COMM_WORLD);
    }
    if (rank == 0)
        printf("cell %d\n", cells[0]);
    MPI_Finalize();
    return 0;
}
