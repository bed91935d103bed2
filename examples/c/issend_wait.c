// standoff: title: both waits for MPI_Issend come before both receives
// standoff: ranks: 2
// standoff: expect: deadlock
// standoff: core: 0, 1
// standoff: cured: issend_wait_cured
// standoff: text: MPI_Wait
#include <mpi.h>
#include <stdio.h>

static double exchange(double mine, int partner)
{
    MPI_Request request;
    double theirs;

    MPI_Issend(&mine, 1, MPI_DOUBLE, partner, 1, MPI_COMM_WORLD, &request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);  // @core 0, 1
    MPI_Recv(&theirs, 1, MPI_DOUBLE, partner, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
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
