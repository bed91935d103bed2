// standoff: title: a barrier of all ranks inside the branch of the even ones, while the odd ones receive from them
// standoff: ranks: 6
// standoff: expect: deadlock
// standoff: core: 0-5
// standoff: cured: barrier_in_even_branch_cured
// standoff: text: MPI_Barrier
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
        MPI_Barrier(MPI_COMM_WORLD); /* meant: half */  // @core 0, 2, 4
        MPI_Send(&ghost, 1, MPI_INT, rank + 1, 0, MPI_COMM_WORLD);
    } else {
        MPI_Recv(&ghost, 1, MPI_INT, rank - 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @core 1, 3, 5
        MPI_Barrier(half);
    }
    MPI_Allreduce(MPI_IN_PLACE, &ghost, 1, MPI_INT, MPI_MAX, half);
    if (rank == size - 1)
        printf("ghost %d\n", ghost);
    MPI_Comm_free(&half);
    MPI_Finalize();
    return 0;
}
