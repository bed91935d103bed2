// standoff: title: cured: both persistent requests are started in each step
// standoff: ranks: 2
// standoff: expect: clean
// standoff: stdout: 3 steps
#include <mpi.h>
#include <stdio.h>

static void step(MPI_Request *requests, int number)
{
    (void)number;
    MPI_Startall(2, requests);
    MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
}

int main(int argc, char **argv)
{
    int rank, partner, steps;
    double in = 0, out = 1;
    MPI_Request requests[2];

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    partner = 1 - rank;
    MPI_Recv_init(&in, 1, MPI_DOUBLE, partner, 0, MPI_COMM_WORLD, &requests[0]);
    MPI_Send_init(&out, 1, MPI_DOUBLE, partner, 0, MPI_COMM_WORLD, &requests[1]);
    for (steps = 0; steps < 3; steps++)
        step(requests, steps);
    if (rank == 0)
        printf("%d steps\n", steps);
    MPI_Request_free(&requests[0]);
    MPI_Request_free(&requests[1]);
    MPI_Finalize();
    return 0;
}
