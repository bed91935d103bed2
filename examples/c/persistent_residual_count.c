// standoff: title: a persistent reduction is started once less on the rank whose strip has one row less
// standoff: ranks: 4
// standoff: expect: deadlock
// standoff: core: 0-3
// standoff: left: 3
// standoff: needs: mpi-4
// standoff: cured: persistent_residual_count_cured
// standoff: text: MPI_Allreduce_init
// standoff: text: rank 3 has not started
#include <mpi.h>
#include <stdio.h>

enum { ROWS = 19 };

static double relax(int row)
{
    return 1.0 / (1 + row);
}

int main(int argc, char **argv)
{
    int rank, size, rows;
    double mine = 0, all = 0;
    MPI_Request residual;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    rows = (ROWS + size - 1 - rank) / size;
    MPI_Allreduce_init(&mine, &all, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD, MPI_INFO_NULL, &residual);
    for (int row = 0; row < rows; row++) {
        mine = relax(row);
        MPI_Start(&residual);
        MPI_Wait(&residual, MPI_STATUS_IGNORE);  // @core 0-2
    }
    if (rank == 0)
        printf("residual %.3f\n", all);
    MPI_Request_free(&residual);
    MPI_Finalize();
    return 0;
}
