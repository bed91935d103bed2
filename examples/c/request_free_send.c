// standoff: title: sends whose requests are freed at once
// standoff: ranks: 2
// standoff: expect: clean
// standoff: stdout: 500 notes
#include <mpi.h>
#include <stdio.h>
#include <unistd.h>

enum { NOTES = 500 };

static int notes[NOTES];

static void post_notes(void)
{
    for (int i = 0; i < NOTES; i++) {
        MPI_Request request;
        notes[i] = i;
        MPI_Isend(&notes[i], 1, MPI_INT, 1, 3, MPI_COMM_WORLD, &request);
        MPI_Request_free(&request);
    }
}

static void read_notes(void)
{
    int value;

    usleep(600000);
    for (int i = 0; i < NOTES; i++)
        MPI_Recv(&value, 1, MPI_INT, 0, 3, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    printf("%d notes\n", NOTES);
}

int main(int argc, char **argv)
{
    int rank;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0)
        post_notes();
    else
        read_notes();
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
