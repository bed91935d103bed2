// standoff: title: each rank hands out its columns synchronously, also to itself
// standoff: ranks: 3
// standoff: expect: deadlock
// standoff: core: 0
// standoff: victims: 1, 2
// standoff: cured: ssend_to_self_cured
// standoff: text: itself
#include <mpi.h>
#include <stdio.h>

static void give(double *columns, int size)
{
    for (int to = 0; to < size; to++)
        MPI_Ssend(&columns[to], 1, MPI_DOUBLE, to, 0, MPI_COMM_WORLD);  // @core 0
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

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (rank == 0)
        give(columns, size);
    mine = take(0);
    if (rank == 2)
        printf("column %.0f\n", mine);
    MPI_Finalize();
    return 0;
}
