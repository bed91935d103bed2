// standoff: title: both ranks first send, buffered, and one is late
// standoff: ranks: 2
// standoff: expect: clean
// standoff: stdout: both received
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SIZE = 200000 };

static void exchange(char *out, char *in, int rank)
{
    MPI_Bsend(out, SIZE, MPI_CHAR, 1 - rank, 0, MPI_COMM_WORLD);
    if (rank == 1)
        usleep(900000);
    MPI_Recv(in, SIZE, MPI_CHAR, 1 - rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

int main(int argc, char **argv)
{
    int rank, size = SIZE + MPI_BSEND_OVERHEAD;
    char *buffer = malloc(size), *out = calloc(SIZE, 1), *in = malloc(SIZE);

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Buffer_attach(buffer, size);
    exchange(out, in, rank);
    MPI_Buffer_detach(&buffer, &size);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0)
        puts("both received");
    MPI_Finalize();
    free(buffer);
    free(out);
    free(in);
    return 0;
}
