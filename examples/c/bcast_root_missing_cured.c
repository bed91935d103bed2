// standoff: title: cured: the root broadcasts first
// standoff: ranks: 4
// standoff: expect: clean
// standoff: stdout: steps 100
#include <mpi.h>
#include <stdio.h>

static void share(int *steps)
{
    MPI_Bcast(steps, 1, MPI_INT, 0, MPI_COMM_WORLD);
}

static void await_ready(int *ready)
{
    MPI_Recv(ready, 1, MPI_INT, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

int main(int argc, char **argv)
{
    int rank, steps = 0, ready = 1;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        steps = 100;
        share(&steps);
        await_ready(&ready);
    } else {
        share(&steps);
        if (rank == 1) {
            MPI_Send(&ready, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);
            printf("steps %d\n", steps);
        }
    }
    MPI_Finalize();
    return 0;
}
