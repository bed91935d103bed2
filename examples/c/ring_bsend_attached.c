// standoff: title: a ring that sends first, from a buffer that it has attached for it
// standoff: ranks: 4
// standoff: expect: clean
// standoff: stdout: after 3 turns: 1
// standoff: check: clean
//
// A buffered send never waits, as long as the buffer has room; the one of the last turn has been received before the next.
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

enum { TURNS = 3, CELLS = 2000 };

int main(int argc, char **argv)
{
    int rank, size, bytes;
    static double mine[CELLS], theirs[CELLS];

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Pack_size(CELLS, MPI_DOUBLE, MPI_COMM_WORLD, &bytes);
    bytes = TURNS * (bytes + MPI_BSEND_OVERHEAD);
    char *room = malloc(bytes);
    MPI_Buffer_attach(room, bytes);
    mine[0] = rank;
    for (int turn = 0; turn < TURNS; turn++) {
        MPI_Bsend(mine, CELLS, MPI_DOUBLE, (rank + 1) % size, turn, MPI_COMM_WORLD);
        MPI_Recv(theirs, CELLS, MPI_DOUBLE, (rank + size - 1) % size, turn, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        mine[0] = theirs[0];
    }
    MPI_Buffer_detach(&room, &bytes);
    free(room);
    if (rank == 0)
        printf("after %d turns: %g\n", TURNS, mine[0]);
    MPI_Finalize();
    return 0;
}
