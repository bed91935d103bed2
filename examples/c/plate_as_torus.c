// standoff: title: ghost rows by MPI_Sendrecv, up as on a plate and down as on a torus
// standoff: ranks: 4
// standoff: expect: deadlock
// standoff: core: 0-3
// standoff: cured: plate_as_torus_cured
// standoff: text: whom a rank receives from must be who sends to it
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
    int down = (rank + size - 1) % size;
    for (int step = 0; step < 4; step++) {
        MPI_Sendrecv(row, CELLS, MPI_DOUBLE, up, 1, // @core 0-3
                     ghost, CELLS, MPI_DOUBLE, down, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        for (int i = 0; i < CELLS; i++)
            row[i] += 0.5 * (ghost[i] - row[i]);
    }
    MPI_Finalize();
    return 0;
}
