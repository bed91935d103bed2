// standoff: title: halo exchange on a 2 by 3 grid with open ends: all four sides are sent, then received
// standoff: ranks: 6
// standoff: expect: clean
// standoff: stdout: neighbours 14
// standoff: cured: halo_grid_send_first_cured
// standoff: check: potential-deadlock
//
// In a line with open ends the last rank has nobody to send to, and all is well. Here each pair of neighbours sends to
// each other first.
#include <mpi.h>
#include <stdio.h>

int main(int argc, char **argv) {
    int dims[2] = {2, 3}, periods[2] = {0, 0}, sides[4], rank, count = 0, all;
    MPI_Comm grid;
    MPI_Init(&argc, &argv);
    MPI_Cart_create(MPI_COMM_WORLD, 2, dims, periods, 0, &grid);
    MPI_Comm_rank(grid, &rank);
    MPI_Cart_shift(grid, 0, 1, &sides[0], &sides[1]);
    MPI_Cart_shift(grid, 1, 1, &sides[2], &sides[3]);
    double edge[4][32] = {{rank}}, halo[4][32];
    for (int side = 0; side < 4; side++)
        MPI_Send(edge[side], 32, MPI_DOUBLE, sides[side], 0, grid);  // @check 0, 3
    for (int side = 0; side < 4; side++) {
        MPI_Recv(halo[side], 32, MPI_DOUBLE, sides[side], 0, grid, MPI_STATUS_IGNORE);
        count += sides[side] != MPI_PROC_NULL;
    }
    MPI_Reduce(&count, &all, 1, MPI_INT, MPI_SUM, 0, grid);
    if (rank == 0)
        printf("neighbours %d\n", all);
    MPI_Comm_free(&grid);
    MPI_Finalize();
    return 0;
}
