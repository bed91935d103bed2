// standoff: title: ghost cells are sent nonblocking to both sides, awaited together, and only then received
// standoff: ranks: 4
// standoff: expect: clean
// standoff: stdout: ghosts 0 and 2
// standoff: cured: sends_waited_together_cured
// standoff: check: potential-deadlock
#include <mpi.h>
#include <stdio.h>

int main(int argc, char **argv) {
    int rank, size, ghost[2] = {-1, -1};
    MPI_Request sends[2];
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int left = rank > 0 ? rank - 1 : MPI_PROC_NULL, right = rank < size - 1 ? rank + 1 : MPI_PROC_NULL;
    MPI_Isend(&rank, 1, MPI_INT, left, 0, MPI_COMM_WORLD, &sends[0]);
    MPI_Isend(&rank, 1, MPI_INT, right, 0, MPI_COMM_WORLD, &sends[1]);
    MPI_Waitall(2, sends, MPI_STATUSES_IGNORE);  // @check 0-3
    MPI_Recv(&ghost[0], 1, MPI_INT, left, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Recv(&ghost[1], 1, MPI_INT, right, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    if (rank == 1)
        printf("ghosts %d and %d\n", ghost[0], ghost[1]);
    MPI_Finalize();
    return 0;
}
