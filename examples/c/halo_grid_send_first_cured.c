// standoff: title: all receives are posted before the sends
// standoff: ranks: 6
// standoff: expect: clean
// standoff: stdout: neighbours 14
// standoff: check: clean
#include <mpi.h>
#include <stdio.h>

int main(int argc, char **argv) {
    int dims[2] = {2, 3}, periods[2] = {0, 0}, sides[4], rank, count = 0, all;
    MPI_Comm grid;
    MPI_Request requests[4];
    MPI_Init(&argc, &argv);
    MPI_Cart_create(MPI_COMM_WORLD, 2, dims, periods, 0, &grid);
    MPI_Comm_rank(grid, &rank);
    MPI_Cart_shift(grid, 0, 1, &sides[0], &sides[1]);
    MPI_Cart_shift(grid, 1, 1, &sides[2], &sides[3]);
    double edge[4][32] = {{rank}}, halo[4][32];
    for (int side = 0; side < 4; side++)
        MPI_Irecv(halo[side], 32, MPI_DOUBLE, sides[side], 0, grid, &requests[side]);
    for (int side = 0; side < 4; side++) {
        MPI_Send(edge[side], 32, MPI_DOUBLE, sides[side], 0, grid);
        count += sides[side] != MPI_PROC_NULL;
    }
    MPI_Waitall(4, requests, MPI_STATUSES_IGNORE);
    MPI_Reduce(&count, &all, 1, MPI_INT, MPI_SUM, 0, grid);
    if (rank == 0)
        printf("neighbours %d\n", all);
    MPI_Comm_free(&grid);
    MPI_Finalize();
    return 0;
}
