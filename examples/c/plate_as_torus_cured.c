// standoff: title: ghost rows by MPI_Sendrecv, with nobody beyond either border
// standoff: ranks: 4
// standoff: expect: clean
#include <mpi.h>

#define CELLS 16

int main(int argc, char **argv)
{
    double row[CELLS] = {0}, ghost[CELLS] = {0};
    int rank, size;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int up = rank + 1 < size ? rank + 1 : MPI_PROC_NULL;
    int down = rank > 0 ? rank - 1 : MPI_PROC_NULL;
    for (int step = 0; step < 4; step++) {
        MPI_Sendrecv(row, CELLS, MPI_DOUBLE, up, 1,
                     ghost, CELLS, MPI_DOUBLE, down, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        for (int i = 0; i < CELLS; i++)
            row[i] += 0.5 * (ghost[i] - row[i]);
    }
    MPI_Finalize();
    return 0;
}
