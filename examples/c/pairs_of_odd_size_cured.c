// standoff: title: the rank without a partner exchanges with nobody
// standoff: ranks: 5
// standoff: expect: clean
// standoff: stdout: sum 2
#include <mpi.h>
#include <stdio.h>

static int partner_of(int rank, int size)
{
    int half = size / 2;

    if (rank >= 2 * half)
        return MPI_PROC_NULL;
    return rank < half ? rank + half : rank - half;
}

static double exchange(double mine, int partner, int rank)
{
    double theirs = 0;

    if (rank < partner) {
        MPI_Send(&mine, 1, MPI_DOUBLE, partner, 0, MPI_COMM_WORLD);
        MPI_Recv(&theirs, 1, MPI_DOUBLE, partner, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    } else {
        MPI_Recv(&theirs, 1, MPI_DOUBLE, partner, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Send(&mine, 1, MPI_DOUBLE, partner, 0, MPI_COMM_WORLD);
    }
    return theirs;
}

int main(int argc, char **argv)
{
    int rank, size;
    double sum;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    sum = rank + exchange(rank, partner_of(rank, size), rank);
    if (rank == 0)
        printf("sum %.0f\n", sum);
    MPI_Finalize();
    return 0;
}
