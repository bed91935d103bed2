// standoff: title: three thousand messages, each with its own tag, received last first; cured: the receives are posted before
// standoff: ranks: 3
// standoff: expect: clean
// standoff: stdout: received 6000
// standoff: check: clean
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

enum { MESSAGES = 3000 };

static void flood(int rank)
{
    for (int tag = 0; tag < MESSAGES; tag++)
        MPI_Send(&rank, 1, MPI_INT, 0, tag, MPI_COMM_WORLD);
}

static int drain(int senders)
{
    int *from = malloc(sizeof *from * MESSAGES * senders), received = 0, posted = 0;
    MPI_Request *requests = malloc(sizeof *requests * MESSAGES * senders);

    for (int tag = MESSAGES - 1; tag >= 0; tag--)
        for (int s = senders; s >= 1; s--, posted++)
            MPI_Irecv(&from[posted], 1, MPI_INT, s, tag, MPI_COMM_WORLD, &requests[posted]);
    MPI_Waitall(posted, requests, MPI_STATUSES_IGNORE);
    for (int i = 0; i < posted; i++)
        received += from[i] == senders - i % senders;
    free(requests);
    free(from);
    return received;
}

int main(int argc, char **argv)
{
    int rank, size;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (rank == 0) {
        printf("received %d\n", drain(size - 1));
    } else {
        flood(rank);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
