// standoff: title: of each pair the rank whose bit is clear sends first
// standoff: ranks: 8
// standoff: expect: clean
// standoff: stdout: sum 28
// standoff: check: clean
#include <mpi.h>
#include <stdio.h>

int main(int argc, char **argv) {
    int rank, size, sum, got;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    sum = rank;
    for (int bit = 1; bit < size; bit <<= 1) {
        if (!(rank & bit))
            MPI_Send(&sum, 1, MPI_INT, rank ^ bit, bit, MPI_COMM_WORLD);
        MPI_Recv(&got, 1, MPI_INT, rank ^ bit, bit, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        if (rank & bit)
            MPI_Send(&sum, 1, MPI_INT, rank ^ bit, bit, MPI_COMM_WORLD);
        sum += got;
    }
    if (rank == 0)
        printf("sum %d\n", sum);
    MPI_Finalize();
    return 0;
}
