// standoff: title: receives that nobody answers are cancelled
// standoff: ranks: 2
// standoff: expect: clean
// standoff: stdout: cancelled 4
#include <mpi.h>
#include <stdio.h>
#include <unistd.h>

enum { GUESSES = 4 };

static int give_up(int partner)
{
    MPI_Request requests[GUESSES];
    MPI_Status status;
    int values[GUESSES], cancelled = 0, flag;

    for (int i = 0; i < GUESSES; i++)
        MPI_Irecv(&values[i], 1, MPI_INT, i % 2 ? partner : MPI_ANY_SOURCE, 10 + i, MPI_COMM_WORLD, &requests[i]);
    usleep(400000);
    for (int i = 0; i < GUESSES; i++) {
        MPI_Cancel(&requests[i]);
        MPI_Wait(&requests[i], &status);
        MPI_Test_cancelled(&status, &flag);
        cancelled += flag != 0;
    }
    return cancelled;
}

int main(int argc, char **argv)
{
    int rank, cancelled, total;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    cancelled = give_up(1 - rank);
    MPI_Sendrecv(&cancelled, 1, MPI_INT, 1 - rank, 10, &total, 1, MPI_INT, 1 - rank, 10, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    if (rank == 0)
        printf("cancelled %d\n", total);
    MPI_Finalize();
    return 0;
}
