// standoff: title: cured: the barrier comes after the hand-over
// standoff: ranks: 4
// standoff: expect: clean
// standoff: stdout: 3 blocks in order
#include <mpi.h>
#include <stdio.h>

static void gather_blocks(int writers)
{
    int block;

    for (int w = 1; w <= writers; w++)
        MPI_Recv(&block, 1, MPI_INT, w, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    printf("%d blocks in order\n", writers);
}

static void hand_over(int block)
{
    MPI_Ssend(&block, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);
}

static void close_epoch(void)
{
    MPI_Barrier(MPI_COMM_WORLD);
}

int main(int argc, char **argv)
{
    int rank, size;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (rank == 0) {
        gather_blocks(size - 1);
        close_epoch();
    } else {
        hand_over(rank);
        close_epoch();
    }
    MPI_Finalize();
    return 0;
}
