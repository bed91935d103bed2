// standoff: title: a rank calls MPI_Abort while the others wait
// standoff: ranks: 3
// standoff: expect: failed
#include <mpi.h>

static void check_input(int rank)
{
    if (rank == 1)
        MPI_Abort(MPI_COMM_WORLD, 3);
}

int main(int argc, char **argv)
{
    int rank;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    check_input(rank);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
