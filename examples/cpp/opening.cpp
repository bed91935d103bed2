// standoff: title: two ranks each receive before they send
// standoff: ranks: 9
// standoff: expect: deadlock
// standoff: core: 1, 5
// standoff: cured: opening_swapped, opening_sendrecv
// standoff: text: MPI_Recv
#include <mpi.h>
#include <iostream>

// One letter to or from another rank.
static void send(char letter, int to)
{
    MPI_Send(&letter, 1, MPI_CHAR, to, 0, MPI_COMM_WORLD);
}

static char receive(int from)
{
    char letter = '?';
    MPI_Recv(&letter, 1, MPI_CHAR, from, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @core 1, 5
    return letter;
}

int main(int argc, char **argv)
{
    int rank;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 1) {
        receive(5);
        send('a', 5);
    }
    if (rank == 5) {
        receive(1);
        send('b', 1);
    }
    MPI_Finalize();
    return 0;
}
