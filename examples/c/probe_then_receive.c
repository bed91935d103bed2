// standoff: title: messages of unknown length are probed for and then received, with a slow sender
// standoff: ranks: 3
// standoff: expect: clean
// standoff: stdout: 60 messages
#include <mpi.h>
#include <stdio.h>
#include <unistd.h>

static int read_any(char *buffer)
{
    MPI_Status status;
    MPI_Message message;
    int length;

    MPI_Probe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &status);
    MPI_Get_count(&status, MPI_CHAR, &length);
    if (status.MPI_TAG % 2) {
        MPI_Mprobe(status.MPI_SOURCE, status.MPI_TAG, MPI_COMM_WORLD, &message, &status);
        MPI_Mrecv(buffer, length, MPI_CHAR, &message, MPI_STATUS_IGNORE);
    } else {
        MPI_Recv(buffer, length, MPI_CHAR, status.MPI_SOURCE, status.MPI_TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
    return length;
}

int main(int argc, char **argv)
{
    int rank;
    char buffer[256] = {0};

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        int messages = 0;
        for (; messages < 60; messages++)
            read_any(buffer);
        printf("%d messages\n", messages);
    } else {
        for (int i = 0; i < 30; i++) {
            if (i % 15 == 7)
                usleep(400000 * rank);
            MPI_Send(buffer, 5 * i + rank, MPI_CHAR, 0, i, MPI_COMM_WORLD);
        }
    }
    MPI_Finalize();
    return 0;
}
