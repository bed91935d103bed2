// standoff: title: cured: rank 0 receives first
// standoff: ranks: 5
// standoff: expect: clean
// standoff: stdout: sum 10
#include <mpi.h>
#include <stdio.h>

static int ring_step(int value, int rank, int size)
{
    int right = (rank + 1) % size, left = (rank + size - 1) % size, got;

    if (rank == 0) {
        MPI_Recv(&got, 1, MPI_INT, left, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Ssend(&value, 1, MPI_INT, right, 0, MPI_COMM_WORLD);
        return got;
    }
    MPI_Ssend(&value, 1, MPI_INT, right, 0, MPI_COMM_WORLD);
    MPI_Recv(&got, 1, MPI_INT, left, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    return got;
}

static int ring_sum(int mine, int rank, int size)
{
    int sum = mine, travelling = mine;

    for (int step = 1; step < size; step++) {
        travelling = ring_step(travelling, rank, size);
        sum += travelling;
    }
    return sum;
}

int main(int argc, char **argv)
{
    int rank, size, sum;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    sum = ring_sum(rank, rank, size);
    if (rank == 0)
        printf("sum %d\n", sum);
    MPI_Finalize();
    return 0;
}
