// standoff: title: the receive of its own column is posted before
// standoff: ranks: 3
// standoff: expect: clean
// standoff: stdout: column 4
#include <mpi.h>
#include <stdio.h>

static void give(double *columns, int size)
{
    for (int to = 0; to < size; to++)
        MPI_Ssend(&columns[to], 1, MPI_DOUBLE, to, 0, MPI_COMM_WORLD);
}

static double take(int from)
{
    double column;

    MPI_Recv(&column, 1, MPI_DOUBLE, from, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    return column;
}

int main(int argc, char **argv)
{
    double columns[8] = {1, 2, 4}, mine;
    int rank, size;
    MPI_Request own;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (rank == 0) {
        MPI_Irecv(&mine, 1, MPI_DOUBLE, 0, 0, MPI_COMM_WORLD, &own);
        give(columns, size);
        MPI_Wait(&own, MPI_STATUS_IGNORE);
    } else {
        mine = take(0);
    }
    if (rank == 2)
        printf("column %.0f\n", mine);
    MPI_Finalize();
    return 0;
}
