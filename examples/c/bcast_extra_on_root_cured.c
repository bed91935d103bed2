// standoff: title: all take part in the last broadcast
// standoff: ranks: 3
// standoff: expect: clean
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
    MPI_Bcast(&done, 1, MPI_INT, 0, MPI_COMM_WORLD);
    if (rank == 0)
        printf("time %d\n", done);
    MPI_Finalize();
    return 0;
}
