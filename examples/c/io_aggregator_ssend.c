// standoff: title: writers hand over synchronously, their aggregator waits in a barrier for them
// standoff: ranks: 4
// standoff: expect: deadlock
// standoff: core: 0-3
// standoff: cured: io_aggregator_ssend_cured
// standoff: text: MPI_Ssend
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
    MPI_Ssend(&block, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);  // @core 1-3
}

static void close_epoch(void)
{
    MPI_Barrier(MPI_COMM_WORLD);  // @core 0
}

int main(int argc, char **argv)
{
    int rank, size;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (rank == 0) {
        close_epoch();
        gather_blocks(size - 1);
    } else {
        hand_over(rank);
        close_epoch();
    }
    MPI_Finalize();
    return 0;
}
