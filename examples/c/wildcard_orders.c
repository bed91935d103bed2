// standoff: title: wildcard and specific receives, posted in different orders
// standoff: ranks: 3
// standoff: expect: clean
// standoff: stdout: 400 rounds
#include <mpi.h>
#include <stdio.h>
#include <unistd.h>

enum { SENDERS = 2 };

static void post(int slot, int *value, int wild, MPI_Request *request)
{
    int source = wild ? MPI_ANY_SOURCE : slot + 1;
    int tag = wild == 2 ? MPI_ANY_TAG : 1;

    MPI_Irecv(value, 1, MPI_INT, source, tag, MPI_COMM_WORLD, request);
}

static void receive_round(int round)
{
    MPI_Request requests[SENDERS + 1];
    int values[SENDERS + 1], which;

    /* The receives from anyone come last, or take anything there is: every order can be served. */
    if (round % 2) {
        post(0, &values[0], 2, &requests[0]);
        post(0, &values[1], 2, &requests[1]);
    } else {
        post(1, &values[0], 0, &requests[0]);
        post(0, &values[1], 1, &requests[1]);
    }
    requests[SENDERS] = MPI_REQUEST_NULL;
    if (round % 3 == 0) {
        MPI_Waitany(SENDERS + 1, requests, &which, MPI_STATUS_IGNORE);
        MPI_Waitall(SENDERS + 1, requests, MPI_STATUSES_IGNORE);
    } else {
        MPI_Wait(&requests[1], MPI_STATUS_IGNORE);
        MPI_Wait(&requests[0], MPI_STATUS_IGNORE);
    }
}

int main(int argc, char **argv)
{
    int rank, round;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    for (round = 0; round < 400; round++) {
        if (rank == 0) {
            receive_round(round);
        } else {
            if (round % 200 == 100 + rank)
                usleep(400000);
            MPI_Send(&round, 1, MPI_INT, 0, 1, MPI_COMM_WORLD);
        }
        MPI_Barrier(MPI_COMM_WORLD);
    }
    if (rank == 0)
        printf("%d rounds\n", round);
    MPI_Finalize();
    return 0;
}
