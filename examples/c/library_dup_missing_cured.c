// standoff: title: cured: the late rank opens the library before it waits
// standoff: ranks: 4
// standoff: expect: clean
// standoff: stdout: library open
#include <mpi.h>
#include <stdio.h>

static MPI_Comm library_open(void)
{
    MPI_Comm comm;

    MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    return comm;
}

static void await_input(void)
{
    int token;

    MPI_Recv(&token, 1, MPI_INT, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

int main(int argc, char **argv)
{
    int rank, token = 1;
    MPI_Comm library;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    library = library_open();
    if (rank == 3)
        await_input();
    if (rank == 0) {
        MPI_Send(&token, 1, MPI_INT, 3, 0, MPI_COMM_WORLD);
        puts("library open");
    }
    MPI_Comm_free(&library);
    MPI_Finalize();
    return 0;
}
