// standoff: title: MPI_Test in a busy loop for a second and a half
// standoff: ranks: 3
// standoff: expect: clean
// standoff: stdout: arrived
#include <mpi.h>
#include <stdio.h>
#include <unistd.h>

static void poll(int *value)
{
    int done = 0;
    MPI_Request request;

    MPI_Irecv(value, 1, MPI_INT, 1, 0, MPI_COMM_WORLD, &request);
    while (!done)
        MPI_Test(&request, &done, MPI_STATUS_IGNORE);
}

int main(int argc, char **argv)
{
    int rank, value = 0;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        poll(&value);
        puts("arrived");
    } else if (rank == 1) {
        usleep(1500000);
        MPI_Send(&rank, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);
    }
    MPI_Bcast(&value, 1, MPI_INT, 0, MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
