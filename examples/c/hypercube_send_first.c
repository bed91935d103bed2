// standoff: title: an all-reduce by recursive doubling whose partners both send first
// standoff: ranks: 8
// standoff: expect: clean
// standoff: stdout: sum 28
// standoff: cured: hypercube_send_first_cured
// standoff: check: potential-deadlock
#include <mpi.h>
#include <stdio.h>

int main(int argc, char **argv) {
    int rank, size, sum, got;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    sum = rank;
    for (int bit = 1; bit < size; bit <<= 1) {
        MPI_Send(&sum, 1, MPI_INT, rank ^ bit, bit, MPI_COMM_WORLD);  // @check 0-1
        MPI_Recv(&got, 1, MPI_INT, rank ^ bit, bit, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        sum += got;
    }
    if (rank == 0)
        printf("sum %d\n", sum);
    MPI_Finalize();
    return 0;
}
