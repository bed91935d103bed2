// standoff: title: cured: the caller receives through the library
// standoff: ranks: 2
// standoff: expect: clean
// standoff: stdout: residual 0.5
#include <mpi.h>
#include <stdio.h>

struct library {
    MPI_Comm comm;
};

static void library_send(struct library *lib, double value)
{
    double ack;

    MPI_Send(&value, 1, MPI_DOUBLE, 1, 0, lib->comm);
    MPI_Recv(&ack, 1, MPI_DOUBLE, 1, 1, lib->comm, MPI_STATUS_IGNORE);
}

static double library_receive(struct library *lib)
{
    double value;

    MPI_Recv(&value, 1, MPI_DOUBLE, 0, 0, lib->comm, MPI_STATUS_IGNORE);
    MPI_Send(&value, 1, MPI_DOUBLE, 0, 1, lib->comm);
    return value;
}

int main(int argc, char **argv)
{
    int rank;
    struct library lib;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_dup(MPI_COMM_WORLD, &lib.comm);
    if (rank == 0)
        library_send(&lib, 0.5);
    else
        printf("residual %.1f\n", library_receive(&lib));
    MPI_Comm_free(&lib.comm);
    MPI_Finalize();
    return 0;
}
