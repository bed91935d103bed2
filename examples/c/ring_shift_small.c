// standoff: title: a ring shift of one number in which every rank sends first
// standoff: ranks: 6
// standoff: expect: clean
// standoff: stdout: sum 15
// standoff: cured: ring_shift_small_cured
// standoff: check: potential-deadlock
#include <mpi.h>
#include <stdio.h>

int main(int argc, char **argv) {
    int rank, size;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int next = (rank + 1) % size, before = (rank + size - 1) % size;
    int mine = rank, sum = 0;
    for (int step = 0; step < size; step++) {
        int got;
        sum += mine;
        MPI_Send(&mine, 1, MPI_INT, next, step, MPI_COMM_WORLD);  // @check 0-5
        MPI_Recv(&got, 1, MPI_INT, before, step, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        mine = got;
    }
    if (rank == 0)
        printf("sum %d\n", sum);
    MPI_Finalize();
    return 0;
}
