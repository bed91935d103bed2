// standoff: title: the root of a broadcast first waits for a rank that is in the broadcast
// standoff: ranks: 4
// standoff: expect: deadlock
// standoff: core: 0, 1
// standoff: victims: 2-3
// standoff: cured: bcast_root_missing_cured
// standoff: text: MPI_Bcast
#include <mpi.h>
#include <stdio.h>

static void share(int *steps)
{
    MPI_Bcast(steps, 1, MPI_INT, 0, MPI_COMM_WORLD);  // @core 1
}

static void await_ready(int *ready)
{
    MPI_Recv(ready, 1, MPI_INT, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @core 0
}

int main(int argc, char **argv)
{
    int rank, steps = 0, ready = 1;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        steps = 100;
        await_ready(&ready);
        share(&steps);
    } else {
        share(&steps);
        if (rank == 1) {
            MPI_Send(&ready, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);
            printf("steps %d\n", steps);
        }
    }
    MPI_Finalize();
    return 0;
}
