// standoff: title: ready sends, for which the receives were posted before a barrier
// standoff: ranks: 4
// standoff: expect: clean
// standoff: stdout: rows 6
// standoff: check: clean
#include <mpi.h>
#include <stdio.h>

enum { STEPS = 2, ROW = 512, UP = 1, DOWN = 2 };

int main(int argc, char **argv)
{
    int rank, size, rows = 0;
    static float mine[ROW], above[ROW], below[ROW];

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int up = rank > 0 ? rank - 1 : MPI_PROC_NULL;
    int down = rank < size - 1 ? rank + 1 : MPI_PROC_NULL;
    for (int step = 0; step < STEPS; step++) {
        MPI_Request halo[2];
        MPI_Irecv(above, ROW, MPI_FLOAT, up, DOWN, MPI_COMM_WORLD, &halo[0]);
        MPI_Irecv(below, ROW, MPI_FLOAT, down, UP, MPI_COMM_WORLD, &halo[1]);
        // From here on, everybody's receives are there.
        MPI_Barrier(MPI_COMM_WORLD);
        MPI_Rsend(mine, ROW, MPI_FLOAT, up, UP, MPI_COMM_WORLD);
        MPI_Rsend(mine, ROW, MPI_FLOAT, down, DOWN, MPI_COMM_WORLD);
        MPI_Waitall(2, halo, MPI_STATUSES_IGNORE);
        rows += (up != MPI_PROC_NULL) + (down != MPI_PROC_NULL);
    }
    int all = 0;
    MPI_Reduce(&rows, &all, 1, MPI_INT, MPI_SUM, 0, MPI_COMM_WORLD);
    if (rank == 0)
        printf("rows %d\n", all / STEPS);
    MPI_Finalize();
    return 0;
}
