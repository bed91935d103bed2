// standoff: title: a receive from a named rank is posted before one from anybody, so the two never compete
// standoff: ranks: 3
// standoff: expect: clean
// standoff: stdout: got 1 and 2
// standoff: check: clean
//
// With the two receives the other way round, the second would wait for ever if the first took rank 1's message. So it cannot.
#include <mpi.h>
#include <stdio.h>

int main(int argc, char **argv) {
    int rank, from_first = 0, other = 0;
    MPI_Request requests[2];
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        MPI_Irecv(&from_first, 1, MPI_INT, 1, 0, MPI_COMM_WORLD, &requests[0]);
        MPI_Irecv(&other, 1, MPI_INT, MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, &requests[1]);
        MPI_Wait(&requests[1], MPI_STATUS_IGNORE);
        MPI_Wait(&requests[0], MPI_STATUS_IGNORE);
        printf("got %d and %d\n", from_first, other);
    } else {
        MPI_Send(&rank, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);
    }
    MPI_Finalize();
    return 0;
}
