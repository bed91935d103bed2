// standoff: title: a barrier instead of the broadcast keeps the messages apart
// standoff: ranks: 3
// standoff: expect: clean
// standoff: stdout: rank 2 has 1 and 7
// standoff: check: clean
#include <mpi.h>
#include <stdio.h>

int main(int argc, char **argv) {
    int rank, warning = 1, last = 7;
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
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0)
        MPI_Send(&last, 1, MPI_INT, 2, 0, MPI_COMM_WORLD);
    if (rank == 2) {
        MPI_Recv(&last, 1, MPI_INT, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        printf("rank 2 has %d and %d\n", warning, last);
    }
    MPI_Finalize();
    return 0;
}
