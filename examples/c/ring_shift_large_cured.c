// standoff: title: cured: MPI_Isend
// standoff: ranks: 3
// standoff: expect: clean
// standoff: stdout: shifted
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK (2 * 1024 * 1024)

static void shift(const char *mine, char *theirs, int rank, int size)
{
    int right = (rank + 1) % size, left = (rank + size - 1) % size;

    MPI_Request request;
    MPI_Isend(mine, BLOCK, MPI_CHAR, right, 0, MPI_COMM_WORLD, &request);
    MPI_Recv(theirs, BLOCK, MPI_CHAR, left, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
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
