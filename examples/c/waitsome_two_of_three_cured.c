// standoff: title: results are counted, however many MPI_Waitsome tells together
// standoff: ranks: 4
// standoff: expect: clean
// standoff: stdout: all three results are in
// standoff: check: clean
#include <mpi.h>
#include <stdio.h>

enum { RESULT, SENT };

int main(int argc, char **argv) {
    int rank, results[3], sent, n, told[3];
    MPI_Request requests[3];
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        for (int i = 0; i < 3; i++)
            MPI_Irecv(&results[i], 1, MPI_INT, i + 1, RESULT, MPI_COMM_WORLD, &requests[i]);
        for (int i = 0; i < 3; i++)
            MPI_Recv(&sent, 1, MPI_INT, i + 1, SENT, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        for (int have = 0; have < 3; have += n)
            MPI_Waitsome(3, requests, &n, told, MPI_STATUSES_IGNORE);
        printf("all three results are in\n");
    } else {
        MPI_Send(&rank, 1, MPI_INT, 0, RESULT, MPI_COMM_WORLD);
        MPI_Send(&rank, 1, MPI_INT, 0, SENT, MPI_COMM_WORLD);
    }
    MPI_Finalize();
    return 0;
}
