// standoff: title: the root broadcasts once more than the others, and the library lets it go
// standoff: ranks: 3
// standoff: expect: clean
// standoff: mpi: openmpi
// standoff: warns: collective-mismatch
// standoff: text: rank 0 called MPI_Bcast with root 0
// standoff: text: ranks 1 and 2 made no further call
// standoff: cured: bcast_extra_on_root_cured
#include <mpi.h>
#include <stdio.h>

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank, steps = 4, done = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    for (int step = 0; step < steps; step++) {
        int dt = rank == 0 ? step + 1 : 0;
        MPI_Bcast(&dt, 1, MPI_INT, 0, MPI_COMM_WORLD);
        done += dt;
    }
    // "So that the others know": but they do not ask.
    if (rank == 0)
        MPI_Bcast(&done, 1, MPI_INT, 0, MPI_COMM_WORLD);  // @warn
    if (rank == 0)
        printf("time %d\n", done);
    MPI_Finalize();
    return 0;
}
