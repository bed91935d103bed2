// standoff: title: servers dispatch by tag what MPI_Improbe finds, until all have said goodbye; clients think long
// standoff: ranks: 6
// standoff: expect: clean
// standoff: stdout: answered 12
#include <mpi.h>
#include <stdio.h>
#include <unistd.h>

enum { ADD = 1, DOUBLE, BYE };

static int serve(int clients)
{
    int found, answered = 0;
    MPI_Message message;
    MPI_Status status;

    while (clients) {
        int value;
        MPI_Improbe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &found, &message, &status);
        if (!found)
            continue;
        MPI_Mrecv(&value, 1, MPI_INT, &message, MPI_STATUS_IGNORE);
        if (status.MPI_TAG == BYE) {
            clients--;
            continue;
        }
        value = status.MPI_TAG == ADD ? value + 1 : 2 * value;
        MPI_Send(&value, 1, MPI_INT, status.MPI_SOURCE, 0, MPI_COMM_WORLD);
        answered++;
    }
    return answered;
}

int main(int argc, char **argv)
{
    int rank, answered = 0, all;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank < 2) {
        answered = serve(4);
    } else {
        for (int i = 0; i < 3; i++) {
            int value = rank;
            usleep(80000 * rank);
            MPI_Send(&value, 1, MPI_INT, rank % 2, 1 + i % 2, MPI_COMM_WORLD);
            MPI_Recv(&value, 1, MPI_INT, rank % 2, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        }
        for (int server = 0; server < 2; server++)
            MPI_Send(NULL, 0, MPI_INT, server, BYE, MPI_COMM_WORLD);
    }
    MPI_Reduce(&answered, &all, 1, MPI_INT, MPI_SUM, 0, MPI_COMM_WORLD);
    if (rank == 0)
        printf("answered %d\n", all);
    MPI_Finalize();
    return 0;
}
