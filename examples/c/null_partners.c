// standoff: title: sends to and receives from nobody, and waits for null requests
// standoff: ranks: 3
// standoff: expect: clean
// standoff: stdout: ends of the line
#include <mpi.h>
#include <stdio.h>
#include <unistd.h>

static void exchange(int rank, int size)
{
    int left = rank > 0 ? rank - 1 : MPI_PROC_NULL, right = rank + 1 < size ? rank + 1 : MPI_PROC_NULL;
    int out = rank, in = -1, index;
    MPI_Request requests[3] = {MPI_REQUEST_NULL, MPI_REQUEST_NULL, MPI_REQUEST_NULL};
    MPI_Status status;

    MPI_Waitall(3, requests, MPI_STATUSES_IGNORE);
    MPI_Waitany(3, requests, &index, &status);
    MPI_Wait(&requests[0], &status);
    MPI_Irecv(&in, 1, MPI_INT, left, 0, MPI_COMM_WORLD, &requests[0]);
    if (rank == 0)
        usleep(800000);
    MPI_Ssend(&out, 1, MPI_INT, right, 0, MPI_COMM_WORLD);
    MPI_Waitall(3, requests, MPI_STATUSES_IGNORE);
    MPI_Recv(&in, 1, MPI_INT, MPI_PROC_NULL, MPI_ANY_TAG, MPI_COMM_WORLD, &status);
    MPI_Probe(MPI_PROC_NULL, MPI_ANY_TAG, MPI_COMM_WORLD, &status);
    MPI_Sendrecv(&out, 1, MPI_INT, left, 1, &in, 1, MPI_INT, right, 1, MPI_COMM_WORLD, &status);
}

int main(int argc, char **argv)
{
    int rank, size;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    exchange(rank, size);
    if (rank == 0)
        puts("ends of the line");
    MPI_Finalize();
    return 0;
}
