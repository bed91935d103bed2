// standoff: title: both reduce first
// standoff: ranks: 2
// standoff: expect: clean
// standoff: stdout: charge 3, particle 4
// standoff: check: clean
#include <mpi.h>
#include <stdio.h>

int main(int argc, char **argv) {
    int rank, charge, all, particle = 4;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    charge = rank + 1;
    MPI_Reduce(&charge, &all, 1, MPI_INT, MPI_SUM, 0, MPI_COMM_WORLD);
    if (rank == 0) {
        MPI_Recv(&particle, 1, MPI_INT, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        printf("charge %d, particle %d\n", all, particle);
    } else {
        MPI_Send(&particle, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);
    }
    MPI_Finalize();
    return 0;
}
