// standoff: title: the root of a persistent broadcast is several starts ahead of a slow leaf that polls
// standoff: ranks: 3
// standoff: expect: clean
// standoff: needs: mpi-4
// standoff: stdout: got 6
#include <mpi.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int rank, value = 0, sum = 0;
    MPI_Request news;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Bcast_init(&value, 1, MPI_INT, 0, MPI_COMM_WORLD, MPI_INFO_NULL, &news);
    for (int i = 1; i <= 3; i++) {
        int done = 0;

        if (rank == 0)
            value = i;
        if (rank == 2)
            usleep(500000);
        MPI_Start(&news);
        if (rank == 2)
            while (!done)
                MPI_Test(&news, &done, MPI_STATUS_IGNORE);
        else
            MPI_Wait(&news, MPI_STATUS_IGNORE);
        sum += value;
    }
    if (rank == 2)
        printf("got %d\n", sum);
    MPI_Request_free(&news);
    MPI_Finalize();
    return 0;
}
