// standoff: title: the root of a broadcast leaves it early, and its next message is first at a wildcard
// standoff: ranks: 3
// standoff: expect: clean
// standoff: stdout: rank 2 has 1 and 7
// standoff: cured: bcast_overtaken_cured
// standoff: check: potential-deadlock
//
// Rank 2 takes rank 1's warning from anybody, since nobody else should have anything to say before the broadcast. But
// its root need not wait for rank 2 in it.
#include <mpi.h>
#include <stdio.h>

int main(int argc, char **argv) {
    int rank, warning = 1, step = 5, last = 7;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 1) {
        MPI_Send(&warning, 1, MPI_INT, 2, 0, MPI_COMM_WORLD);
        MPI_Send(&warning, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);
    } else if (rank == 0) {
        MPI_Recv(&warning, 1, MPI_INT, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    } else {
        MPI_Recv(&warning, 1, MPI_INT, MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
    MPI_Bcast(&step, 1, MPI_INT, 0, MPI_COMM_WORLD);
    if (rank == 0)
        MPI_Send(&last, 1, MPI_INT, 2, 0, MPI_COMM_WORLD);
    if (rank == 2) {
        MPI_Recv(&last, 1, MPI_INT, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @check 2
        printf("rank 2 has %d and %d\n", warning, last);
    }
    MPI_Finalize();
    return 0;
}
// standoff: check-left: 0
