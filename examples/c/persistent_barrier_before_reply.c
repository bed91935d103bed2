// standoff: title: one rank waits for a message that its partner sends only after a persistent barrier which it has not started
// standoff: ranks: 3
// standoff: expect: deadlock
// standoff: core: 0, 2
// standoff: victims: 1
// standoff: needs: mpi-4
// standoff: cured: persistent_barrier_before_reply_cured
// standoff: text: MPI_Barrier_init
#include <mpi.h>
#include <stdio.h>

static MPI_Request epoch;

static void next_epoch(void)
{
    int done = 0;

    MPI_Start(&epoch);
    MPI_Test(&epoch, &done, MPI_STATUS_IGNORE);
    if (!done)
        MPI_Wait(&epoch, MPI_STATUS_IGNORE);  // @core 0
}

int main(int argc, char **argv)
{
    int rank, plan = 0;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Barrier_init(MPI_COMM_WORLD, MPI_INFO_NULL, &epoch);
    // What a communicator remembers of its last collectives does not reach back to the making.
    for (int i = 0; i < 40; i++)
        MPI_Bcast(&plan, 1, MPI_INT, i % 3, MPI_COMM_WORLD);
    for (int step = 0; step < 2; step++) {
        if (rank == 2 && step == 1)
            MPI_Recv(&plan, 1, MPI_INT, 0, 8, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @core 2
        next_epoch();
        if (rank == 0 && step == 1)
            MPI_Send(&plan, 1, MPI_INT, 2, 8, MPI_COMM_WORLD);
    }
    if (rank == 1)
        printf("two epochs\n");
    MPI_Request_free(&epoch);
    MPI_Finalize();
    return 0;
}
