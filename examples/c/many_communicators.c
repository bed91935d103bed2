// standoff: title: two thousand communicators, made, used and freed
// standoff: ranks: 3
// standoff: expect: clean
// standoff: stdout: 700 communicators
#include <mpi.h>
#include <stdio.h>
#include <unistd.h>

static void use(MPI_Comm comm, int number)
{
    int rank, value;

    MPI_Comm_rank(comm, &rank);
    if (rank == 0)
        MPI_Send(&number, 1, MPI_INT, 1, 0, comm);
    else if (rank == 1)
        MPI_Recv(&value, 1, MPI_INT, 0, 0, comm, MPI_STATUS_IGNORE);
}

int main(int argc, char **argv)
{
    int rank, made;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    for (made = 0; made < 700; made++) {
        MPI_Comm comm;
        if (made % 2)
            MPI_Comm_dup(MPI_COMM_WORLD, &comm);
        else
            MPI_Comm_split(MPI_COMM_WORLD, 0, -rank, &comm);
        if (made % 500 == 250 && rank == 2)
            usleep(300000);
        use(comm, made);
        MPI_Comm_free(&comm);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0)
        printf("%d communicators\n", made);
    MPI_Finalize();
    return 0;
}
