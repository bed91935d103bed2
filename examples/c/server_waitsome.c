// standoff: title: a server that keeps a receive posted for each client and answers whoever Waitsome tells
// standoff: ranks: 3
// standoff: expect: clean
// standoff: stdout: answered 4
// standoff: check: clean
#include <mpi.h>
#include <stdio.h>

enum { CLIENTS = 2, QUESTIONS = 2 };

static int serve(void)
{
    int question[CLIENTS], left[CLIENTS], which[CLIENTS], open = CLIENTS, answered = 0;
    MPI_Request requests[CLIENTS];

    for (int c = 0; c < CLIENTS; c++) {
        left[c] = QUESTIONS;
        MPI_Irecv(&question[c], 1, MPI_INT, c + 1, 0, MPI_COMM_WORLD, &requests[c]);
    }
    while (open > 0) {
        int some = 0;
        MPI_Waitsome(CLIENTS, requests, &some, which, MPI_STATUSES_IGNORE);
        for (int i = 0; i < some; i++) {
            int c = which[i], answer = 2 * question[c];
            MPI_Send(&answer, 1, MPI_INT, c + 1, 1, MPI_COMM_WORLD);
            answered++;
            if (--left[c] > 0)
                MPI_Irecv(&question[c], 1, MPI_INT, c + 1, 0, MPI_COMM_WORLD, &requests[c]);
            else
                open--;
        }
    }
    return answered;
}

int main(int argc, char **argv)
{
    int rank, answer;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0)
        printf("answered %d\n", serve());
    else
        for (int q = 0; q < QUESTIONS; q++) {
            MPI_Send(&q, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);
            MPI_Recv(&answer, 1, MPI_INT, 0, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        }
    MPI_Finalize();
    return 0;
}
