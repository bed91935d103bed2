// standoff: title: cured: both ranks count their steps from 0
// standoff: ranks: 2
// standoff: expect: clean
// standoff: stdout: after three shifts 1
// standoff: needs: mpi-4
#include <mpi.h>
#include <stdio.h>

static double shift(double mine, int partner, int step)
{
    double got = 0;
    MPI_Request both;

    MPI_Isendrecv(&mine, 1, MPI_DOUBLE, partner, step, &got, 1, MPI_DOUBLE, partner, step, MPI_COMM_WORLD, &both);
    MPI_Wait(&both, MPI_STATUS_IGNORE);
    return got;
}

int main(int argc, char **argv)
{
    int rank, first;
    double value;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    value = rank;
    first = 0;
    for (int step = first; step < first + 3; step++)
        value = shift(value, 1 - rank, step);
    if (rank == 0)
        printf("after three shifts %.0f\n", value);
    MPI_Finalize();
    return 0;
}
