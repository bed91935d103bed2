// standoff: title: an aggregator probes for blocks that its writers send only after a barrier
// standoff: ranks: 4
// standoff: expect: deadlock
// standoff: core: 0-3
// standoff: cured: probe_aggregator_cured
// standoff: text: MPI_Probe
#include <mpi.h>
#include <stdio.h>

static void aggregate(int writers)
{
    char block[64];
    int size;
    MPI_Status status;

    for (int i = 0; i < writers; i++) {
        MPI_Probe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &status);  // @core 0
        MPI_Get_count(&status, MPI_CHAR, &size);
        MPI_Recv(block, size, MPI_CHAR, status.MPI_SOURCE, status.MPI_TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
    printf("wrote %d blocks\n", writers);
}

static void start_of_epoch(void)
{
    MPI_Barrier(MPI_COMM_WORLD);  // @core 1-3
}

static void write_block(int rank)
{
    char block[64] = {0};

    MPI_Send(block, 16 * rank, MPI_CHAR, 0, rank, MPI_COMM_WORLD);
}

int main(int argc, char **argv)
{
    int rank, size;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (rank == 0) {
        aggregate(size - 1);
        start_of_epoch();
    } else {
        start_of_epoch();
        write_block(rank);
    }
    MPI_Finalize();
    return 0;
}
