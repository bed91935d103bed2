// standoff: title: cured: the reduction is started equally often on all ranks
// standoff: ranks: 4
// standoff: expect: clean
// standoff: needs: mpi-4
// standoff: stdout: residual 0.600
#include <mpi.h>
#include <stdio.h>

enum { ROWS = 19 };

static double relax(int row)
{
    return 1.0 / (1 + row);
}

int main(int argc, char **argv)
{
    int rank, size, most;
    double mine = 0, all = 0;
    MPI_Request residual;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    most = (ROWS + size - 1) / size;
    MPI_Allreduce_init(&mine, &all, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD, MPI_INFO_NULL, &residual);
    for (int row = 0; row < most; row++) {
        mine = row < (ROWS + size - 1 - rank) / size ? relax(row) : 0.0;
        MPI_Start(&residual);
        MPI_Wait(&residual, MPI_STATUS_IGNORE);
    }
    if (rank == 0)
        printf("residual %.3f\n", all);
    MPI_Request_free(&residual);
    MPI_Finalize();
    return 0;
}
