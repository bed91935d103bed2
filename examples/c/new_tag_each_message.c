// standoff: title: 200,000 messages, each with a tag of its own
// standoff: ranks: 2
// standoff: expect: clean
// standoff: stdout: 200000 messages
#include <mpi.h>
#include <stdio.h>
#include <unistd.h>

enum { MESSAGES = 200000, ROUND = 100 };

int main(int argc, char **argv)
{
    int rank, value, tag;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    for (tag = 0; tag < MESSAGES; tag++) {
        if (rank == 0)
            MPI_Send(&tag, 1, MPI_INT, 1, tag, MPI_COMM_WORLD);
        else
            MPI_Recv(&value, 1, MPI_INT, 0, tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        if (tag % ROUND == ROUND - 1) {
            if (rank == 1)
                MPI_Send(&value, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);
            else
                MPI_Recv(&value, 1, MPI_INT, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        }
    }
    if (rank == 0)
        usleep(700000);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0)
        printf("%d messages\n", tag);
    MPI_Finalize();
    return 0;
}
