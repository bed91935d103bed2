// standoff: title: the warning is received from the rank that sends it, whoever leaves the scan first
// standoff: ranks: 3
// standoff: expect: clean
// standoff: stdout: rank 2 starts at 2 and has 1 and 7
// standoff: check: clean
#include <mpi.h>
#include <stdio.h>

int main(int argc, char **argv) {
    int rank, warning = 1, count = 1, offset, header = 7;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 1) {
        MPI_Send(&warning, 1, MPI_INT, 2, 0, MPI_COMM_WORLD);
        MPI_Send(&warning, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);
    } else if (rank == 0) {
        MPI_Recv(&warning, 1, MPI_INT, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    } else {
        MPI_Recv(&warning, 1, MPI_INT, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
    MPI_Scan(&count, &offset, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    if (rank == 0)
        MPI_Send(&header, 1, MPI_INT, 2, 0, MPI_COMM_WORLD);
    if (rank == 2) {
        MPI_Recv(&header, 1, MPI_INT, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        printf("rank 2 starts at %d and has %d and %d\n", offset - count, warning, header);
    }
    MPI_Finalize();
    return 0;
}
