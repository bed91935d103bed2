// standoff: title: a receive that fails with an error code, and a program that goes on
// standoff: ranks: 2
// standoff: expect: clean
// standoff: stdout: error seen, then 5
#include <mpi.h>
#include <stdio.h>
#include <unistd.h>

static int receive_too_much(void)
{
    int small;

    return MPI_Recv(&small, 1, MPI_INT, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE) != MPI_SUCCESS;
}

int main(int argc, char **argv)
{
    int rank, data[8] = {5}, got = 0;

    MPI_Init(&argc, &argv);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        int failed = receive_too_much();
        MPI_Recv(&got, 1, MPI_INT, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        if (failed)
            printf("error seen, then %d\n", got);
    } else {
        MPI_Send(data, 8, MPI_INT, 0, 0, MPI_COMM_WORLD);
        usleep(1000000);
        MPI_Send(data, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);
    }
    MPI_Finalize();
    return 0;
}
