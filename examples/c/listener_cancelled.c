// standoff: title: listeners for any source are cancelled, and then two ranks each receive before they send
// standoff: ranks: 3
// standoff: expect: deadlock
// standoff: core: 1, 2
// standoff: cured: listener_cancelled_cured
#include <mpi.h>

enum { STOP = 99, SHARE = 7 };

/* Each rank listens for a word to stop, which need not come. */
static void iterate(int rank)
{
    int word, done = 0;
    MPI_Request listener;

    MPI_Irecv(&word, 1, MPI_INT, MPI_ANY_SOURCE, STOP, MPI_COMM_WORLD, &listener);
    if (rank == 0)
        MPI_Send(&rank, 1, MPI_INT, 2, STOP, MPI_COMM_WORLD);
    for (int step = 0; step < 5; step++)
        MPI_Barrier(MPI_COMM_WORLD);
    MPI_Test(&listener, &done, MPI_STATUS_IGNORE);
    if (!done) {
        MPI_Cancel(&listener);
        MPI_Wait(&listener, MPI_STATUS_IGNORE);
    }
}

static void share(int partner)
{
    double own = 1, other;

    MPI_Recv(&other, 1, MPI_DOUBLE, partner, SHARE, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @core 1-2
    MPI_Send(&own, 1, MPI_DOUBLE, partner, SHARE, MPI_COMM_WORLD);
}

int main(int argc, char **argv)
{
    int rank;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    iterate(rank);
    if (rank > 0)
        share(3 - rank);
    MPI_Finalize();
    return 0;
}
