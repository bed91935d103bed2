// standoff: title: 2D periodic halo exchange on a Cartesian grid, blocking receive first
// standoff: ranks: 6
// standoff: expect: deadlock
// standoff: core: 0-2
// standoff: core: 3-5
// standoff: findings: 2
// standoff: cured: halo_2d_periodic_cured
// standoff: text: MPI_Recv
//
// Each row of the grid is a ring of its own, so there are two independent deadlocks.
#include <mpi.h>
#include <stdio.h>

#define CELLS 16

static void shift(MPI_Comm grid, int dim, const double *edge, double *ghost)
{
    int from, to;

    MPI_Cart_shift(grid, dim, 1, &from, &to);
    MPI_Recv(ghost, CELLS, MPI_DOUBLE, from, dim, grid, MPI_STATUS_IGNORE);  // @core 0-5
    MPI_Send(edge, CELLS, MPI_DOUBLE, to, dim, grid);
}

static void exchange(MPI_Comm grid)
{
    double edge[CELLS] = {0}, ghost[CELLS];

    shift(grid, 1, edge, ghost);
    shift(grid, 0, edge, ghost);
}

int main(int argc, char **argv)
{
    int dims[2] = {2, 3}, periods[2] = {1, 1}, rank;
    MPI_Comm grid;

    MPI_Init(&argc, &argv);
    MPI_Cart_create(MPI_COMM_WORLD, 2, dims, periods, 0, &grid);
    MPI_Comm_rank(grid, &rank);
    exchange(grid);
    if (rank == 0)
        puts("halo exchanged");
    MPI_Comm_free(&grid);
    MPI_Finalize();
    return 0;
}
