// standoff: title: a halo exchange whose sends are waited for
// standoff: ranks: 4
// standoff: expect: clean
#include <mpi.h>
#include <stdio.h>

enum { CELLS = 64, STEPS = 1 };

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    double field[CELLS + 1];
    for (int i = 0; i <= CELLS; i++)
        field[i] = rank;
    for (int step = 0; step < STEPS; step++) {
        MPI_Request out = MPI_REQUEST_NULL;
        if (rank + 1 < size)
            MPI_Isend(&field[CELLS], 1, MPI_DOUBLE, rank + 1, step, MPI_COMM_WORLD, &out);
        if (rank > 0)
            MPI_Recv(&field[0], 1, MPI_DOUBLE, rank - 1, step, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Wait(&out, MPI_STATUS_IGNORE);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == size - 1)
        printf("left edge %g\n", field[0]);
    MPI_Finalize();
    return 0;
}
