// standoff: title: two ranks each receive before they send
// standoff: ranks: 9
// standoff: expect: deadlock
// standoff: core: 1, 5
// standoff: cured: opening_swapped, opening_sendrecv
// standoff: text: MPI_Recv
#include <mpi.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    char mine, got = '?';
    int rank;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 1) {
        mine = 'a';
        MPI_Recv(&got, 1, MPI_CHAR, 5, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @core 1
        MPI_Send(&mine, 1, MPI_CHAR, 5, 0, MPI_COMM_WORLD);
    }
    if (rank == 5) {
        mine = 'b';
        MPI_Recv(&got, 1, MPI_CHAR, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @core 5
        MPI_Send(&mine, 1, MPI_CHAR, 1, 0, MPI_COMM_WORLD);
    }
    MPI_Finalize();
    return 0;
}
