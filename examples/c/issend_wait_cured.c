// standoff: title: cured: the receive comes between MPI_Issend and MPI_Wait
// standoff: ranks: 2
// standoff: expect: clean
// standoff: stdout: exchanged
#include <mpi.h>
#include <stdio.h>

static double exchange(double mine, int partner)
{
    MPI_Request request;
    double theirs;

    MPI_Issend(&mine, 1, MPI_DOUBLE, partner, 1, MPI_COMM_WORLD, &request);
    MPI_Recv(&theirs, 1, MPI_DOUBLE, partner, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    return theirs;
}

int main(int argc, char **argv)
{
    int rank;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (exchange(rank, 1 - rank) == 1.0)
        puts("exchanged");
    MPI_Finalize();
    return 0;
}
