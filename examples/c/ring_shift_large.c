// standoff: title: ring shift of 2 MB blocks that relies on buffering of standard sends
// standoff: ranks: 3
// standoff: expect: deadlock
// standoff: core: 0-2
// standoff: cured: ring_shift_large_cured
// standoff: text: MPI_Send
//
// A standard send may be buffered. Blocks of this size are not, on any MPI known.
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK (2 * 1024 * 1024)

static void shift(const char *mine, char *theirs, int rank, int size)
{
    int right = (rank + 1) % size, left = (rank + size - 1) % size;

    MPI_Send(mine, BLOCK, MPI_CHAR, right, 0, MPI_COMM_WORLD);  // @core 0-2
    MPI_Recv(theirs, BLOCK, MPI_CHAR, left, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

int main(int argc, char **argv)
{
    int rank, size;
    char *mine = calloc(BLOCK, 1), *theirs = malloc(BLOCK);

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    shift(mine, theirs, rank, size);
    if (rank == 0)
        puts("shifted");
    MPI_Finalize();
    free(mine);
    free(theirs);
    return 0;
}
