// standoff: title: three ranks poll for more than five seconds, and each of them gets its answer
// standoff: ranks: 8
// standoff: expect: clean
// standoff: stdout: all answers came
//
// None is stalled, though each polls from one place. Rank 0 asks MPI_Testall for a row that a rank which computes will send, beside a note that
// is done and will be taken after a barrier. Rank 3 starts a persistent send now and then, and rank 4 answers the last one. Rank 5 asks for
// two sets in turn, with finished sends in both that may share a handle; only one of the sets can be completed.
#include <mpi.h>
#include <stdio.h>
#include <time.h>

enum { STARTS = 7, NOTE = 7 };

static void rest(double seconds)
{
    struct timespec time = {(time_t)seconds, (long)((seconds - (time_t)seconds) * 1e9)};

    nanosleep(&time, NULL);
}

static void row_beside_note(void)
{
    int row, note = 1, done = 0;
    MPI_Request requests[2];

    MPI_Isend(&note, 1, MPI_INT, 2, NOTE, MPI_COMM_WORLD, &requests[0]);
    MPI_Irecv(&row, 1, MPI_INT, 1, 0, MPI_COMM_WORLD, &requests[1]);
    for (; !done; rest(0.001))
        MPI_Testall(2, requests, &done, MPI_STATUSES_IGNORE);
}

static void starts_between(void)
{
    int word = 1, answer, done = 0;
    MPI_Request sends[STARTS], reply;

    for (int i = 0; i < STARTS; i++)
        MPI_Send_init(&word, 1, MPI_INT, 4, i, MPI_COMM_WORLD, &sends[i]);
    MPI_Irecv(&answer, 1, MPI_INT, 4, 0, MPI_COMM_WORLD, &reply);
    for (int i = 0; !done; i++, rest(0.001)) {
        if (i % 1000 == 0 && i / 1000 < STARTS)
            MPI_Start(&sends[i / 1000]);
        MPI_Test(&reply, &done, MPI_STATUS_IGNORE);
    }
    MPI_Waitall(STARTS, sends, MPI_STATUSES_IGNORE);
    for (int i = 0; i < STARTS; i++)
        MPI_Request_free(&sends[i]);
}

static void sets_in_turn(void)
{
    int early, never, word = 1, done = 0;
    MPI_Request a, b, sent[2];

    MPI_Irecv(&early, 1, MPI_INT, 6, 0, MPI_COMM_WORLD, &a);
    MPI_Irecv(&never, 1, MPI_INT, 7, 0, MPI_COMM_WORLD, &b);
    for (int i = 0; i < 2; i++)
        MPI_Isend(&word, 1, MPI_INT, 6, 5, MPI_COMM_WORLD, &sent[i]);
    for (int turn = 0; !done; turn = !turn, rest(0.001)) {
        MPI_Request with[3] = {a, b, sent[0]}, without[3] = {a, sent[0], sent[1]};

        MPI_Testall(3, turn ? without : with, &done, MPI_STATUSES_IGNORE);
    }
    MPI_Cancel(&b);
    MPI_Wait(&b, MPI_STATUS_IGNORE);
    MPI_Send(&word, 1, MPI_INT, 7, 1, MPI_COMM_WORLD);
}

int main(int argc, char **argv)
{
    int rank, word = 1;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0)
        row_beside_note();
    if (rank == 3)
        starts_between();
    if (rank == 5)
        sets_in_turn();
    for (int i = 0; rank == 4 && i < STARTS; i++)
        MPI_Recv(&word, 1, MPI_INT, 3, i, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    if (rank == 4)
        MPI_Send(&word, 1, MPI_INT, 3, 0, MPI_COMM_WORLD);
    for (int i = 0; rank == 6 && i < 2; i++)
        MPI_Recv(&word, 1, MPI_INT, 5, 5, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    if (rank == 1 || rank == 6) {
        rest(7);
        MPI_Send(&word, 1, MPI_INT, rank - 1, 0, MPI_COMM_WORLD);
    }
    if (rank == 7)
        MPI_Recv(&word, 1, MPI_INT, 5, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 2)
        MPI_Recv(&word, 1, MPI_INT, 0, NOTE, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    if (rank == 2)
        printf("all answers came\n");
    MPI_Finalize();
    return 0;
}
