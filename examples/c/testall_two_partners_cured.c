// standoff: title: a rank asks MPI_Testall for the parts of two others
// standoff: ranks: 3
// standoff: expect: clean
// standoff: stdout: sum of the first points 3
// standoff: check: clean
// standoff: check-scope: bounded
//
// How often MPI_Testall finds nothing has no bound.
#include <mpi.h>
#include <stdio.h>

enum { POINTS = 16 };

static void collect(double part[][POINTS])
{
    MPI_Request requests[2];
    int done = 0;

    for (int i = 0; i < 2; i++)
        MPI_Irecv(part[i], POINTS, MPI_DOUBLE, i + 1, 0, MPI_COMM_WORLD, &requests[i]);
    while (!done)
        MPI_Testall(2, requests, &done, MPI_STATUSES_IGNORE);
}

int main(int argc, char **argv)
{
    int rank;
    double part[2][POINTS] = {{0}};

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        collect(part);
        printf("sum of the first points %g\n", part[0][0] + part[1][0]);
    } else {
        part[0][0] = rank;
        MPI_Send(part[0], POINTS, MPI_DOUBLE, 0, 0, MPI_COMM_WORLD);
    }
    MPI_Finalize();
    return 0;
}
