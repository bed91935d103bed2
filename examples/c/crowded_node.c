// standoff: title: sixteen ranks that exchange and reduce beside other work on the same cores
// standoff: ranks: 16
// standoff: expect: clean
// standoff: needs: load
// standoff: stdout: 60 steps
#include <mpi.h>
#include <stdio.h>

static double step(double mine, int rank, int size)
{
    double theirs, sum;

    MPI_Sendrecv(&mine, 1, MPI_DOUBLE, (rank + 1) % size, 0, &theirs, 1, MPI_DOUBLE, (rank + size - 1) % size, 0,
                 MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    mine = 0.5 * (mine + theirs);
    if (rank % 2 == 0)
        MPI_Send(&mine, 1, MPI_DOUBLE, rank + 1, 1, MPI_COMM_WORLD);
    else
        MPI_Recv(&theirs, 1, MPI_DOUBLE, rank - 1, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Allreduce(&mine, &sum, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    return sum / size;
}

int main(int argc, char **argv)
{
    int rank, size, i;
    double value;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    value = rank;
    for (i = 0; i < 60; i++)
        value = step(value, rank, size);
    if (rank == 0)
        printf("%d steps\n", i);
    MPI_Finalize();
    return 0;
}
