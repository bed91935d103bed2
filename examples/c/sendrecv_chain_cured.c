// standoff: title: cured: it receives from the other side
// standoff: ranks: 4
// standoff: expect: clean
// standoff: stdout: rotated
#include <mpi.h>
#include <stdio.h>

static int rotate(int value, int rank, int size)
{
    int right = (rank + 1) % size, got;
    int left = (rank + size - 1) % size;

    MPI_Sendrecv(&value, 1, MPI_INT, right, 0, &got, 1, MPI_INT, left, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    return got;
}

int main(int argc, char **argv)
{
    int rank, size;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    rotate(rank, rank, size);
    if (rank == 0)
        puts("rotated");
    MPI_Finalize();
    return 0;
}
