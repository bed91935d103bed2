// standoff: title: it is a barrier of the even ones
// standoff: ranks: 6
// standoff: expect: clean
// standoff: stdout: ghost 40
#include <mpi.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    int rank, size, ghost = 0;
    MPI_Comm half;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Comm_split(MPI_COMM_WORLD, rank % 2, rank, &half);
    if (rank % 2 == 0) {
        ghost = 10 * rank;
        MPI_Barrier(half);
        MPI_Send(&ghost, 1, MPI_INT, rank + 1, 0, MPI_COMM_WORLD);
    } else {
        MPI_Recv(&ghost, 1, MPI_INT, rank - 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Barrier(half);
    }
    MPI_Allreduce(MPI_IN_PLACE, &ghost, 1, MPI_INT, MPI_MAX, half);
    if (rank == size - 1)
        printf("ghost %d\n", ghost);
    MPI_Comm_free(&half);
    MPI_Finalize();
    return 0;
}
