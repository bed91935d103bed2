// standoff: title: a halo exchange that computes until MPI_Test finds it complete
// standoff: ranks: 2
// standoff: expect: clean
// standoff: stdout: exchanged
// standoff: check: clean
// standoff: check-scope: bounded
//
// How often MPI_Test finds nothing has no bound.
#include <mpi.h>
#include <stdio.h>

enum { CELLS = 256 };

int main(int argc, char **argv)
{
    int rank, done = 0;
    static double mine[CELLS], theirs[CELLS];
    double inner = 0;
    MPI_Request requests[2];

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    mine[0] = rank;
    MPI_Irecv(theirs, CELLS, MPI_DOUBLE, 1 - rank, 0, MPI_COMM_WORLD, &requests[0]);
    MPI_Isend(mine, CELLS, MPI_DOUBLE, 1 - rank, 0, MPI_COMM_WORLD, &requests[1]);
    while (!done) {
        for (int i = 1; i < CELLS; i++)
            inner += 0.25 * (mine[i - 1] + mine[i]);
        MPI_Testall(2, requests, &done, MPI_STATUSES_IGNORE);
    }
    if (rank == 0 && theirs[0] == 1 && inner >= 0)
        puts("exchanged");
    MPI_Finalize();
    return 0;
}
