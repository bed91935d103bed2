// standoff: title: three thousand unexpected messages, each with its own tag, received last first
// standoff: ranks: 3
// standoff: expect: clean
// standoff: stdout: received 6000
// standoff: cured: late_unexpected_cured
// standoff: check: potential-deadlock
#include <mpi.h>
#include <stdio.h>
#include <unistd.h>

enum { MESSAGES = 3000 };

static void flood(int rank)
{
    for (int tag = 0; tag < MESSAGES; tag++)
        MPI_Send(&rank, 1, MPI_INT, 0, tag, MPI_COMM_WORLD);  // @check 2
}

static int drain(int senders)
{
    int from, received = 0;

    for (int tag = MESSAGES - 1; tag >= 0; tag--)
        for (int s = senders; s >= 1; s--) {
            MPI_Recv(&from, 1, MPI_INT, s, tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @check 0
            received += from == s;
        }
    return received;
}

int main(int argc, char **argv)
{
    int rank, size;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (rank == 0) {
        usleep(700000);
        printf("received %d\n", drain(size - 1));
    } else {
        flood(rank);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
