// standoff: title: a rank polls with MPI_Test for a message that nobody sends
// standoff: ranks: 2
// standoff: expect: stalled
// standoff: core: 0
// standoff: left: 1
//
// A heuristic verdict: a polling loop might do anything next. The other has left.
#include <mpi.h>

static int poll(void)
{
    int value = 0, done = 0;
    MPI_Request request;

    MPI_Irecv(&value, 1, MPI_INT, 1, 0, MPI_COMM_WORLD, &request);
    while (!done)
        MPI_Test(&request, &done, MPI_STATUS_IGNORE);  // @core 0
    return value;
}

int main(int argc, char **argv)
{
    int rank, value = 0;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0)
        value = poll();
    MPI_Finalize();
    return value;
}
