// standoff: title: cured: the rank reads its last message before it finishes
// standoff: ranks: 3
// standoff: expect: clean
// standoff: stdout: shut down
#include <mpi.h>
#include <stdio.h>

static void notify(int rank, int word)
{
    MPI_Ssend(&word, 1, MPI_INT, rank, 0, MPI_COMM_WORLD);
}

static void await_notice(void)
{
    int word;

    MPI_Recv(&word, 1, MPI_INT, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

int main(int argc, char **argv)
{
    int rank;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        notify(1, 10);
        notify(2, 20);
        puts("shut down");
    } else {
        await_notice();
    }
    MPI_Finalize();
    return 0;
}
