// standoff: title: several nonblocking collectives in flight, completed out of order, with a late rank
// standoff: ranks: 4
// standoff: expect: clean
// standoff: stdout: 10 rounds
#include <mpi.h>
#include <stdio.h>
#include <unistd.h>

static void one_round(int rank, int round)
{
    int data = rank == round % 4 ? round : -1, sum, all[4], one = 1, prefix = 0;
    MPI_Request requests[5];

    MPI_Ibcast(&data, 1, MPI_INT, round % 4, MPI_COMM_WORLD, &requests[0]);
    MPI_Iallreduce(&one, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD, &requests[1]);
    if (rank == (round + 1) % 4)
        usleep(120000);
    MPI_Iallgather(&rank, 1, MPI_INT, all, 1, MPI_INT, MPI_COMM_WORLD, &requests[2]);
    MPI_Iscan(&one, &prefix, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD, &requests[3]);
    MPI_Ibarrier(MPI_COMM_WORLD, &requests[4]);
    MPI_Wait(&requests[2], MPI_STATUS_IGNORE);
    MPI_Wait(&requests[0], MPI_STATUS_IGNORE);
    MPI_Waitall(5, requests, MPI_STATUSES_IGNORE);
    if (data != round || sum != 4 || all[3] != 3 || prefix != rank + 1)
        MPI_Abort(MPI_COMM_WORLD, 1);
}

int main(int argc, char **argv)
{
    int rank, round;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    for (round = 0; round < 10; round++)
        one_round(rank, round);
    if (rank == 0)
        printf("%d rounds\n", round);
    MPI_Finalize();
    return 0;
}
