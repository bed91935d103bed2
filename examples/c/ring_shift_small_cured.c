// standoff: title: the first rank of the ring receives first
// standoff: ranks: 6
// standoff: expect: clean
// standoff: stdout: sum 15
// standoff: check: clean
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
        if (rank != 0)
            MPI_Send(&mine, 1, MPI_INT, next, step, MPI_COMM_WORLD);
        MPI_Recv(&got, 1, MPI_INT, before, step, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        if (rank == 0)
            MPI_Send(&mine, 1, MPI_INT, next, step, MPI_COMM_WORLD);
        mine = got;
    }
    if (rank == 0)
        printf("sum %d\n", sum);
    MPI_Finalize();
    return 0;
}
