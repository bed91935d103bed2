// standoff: title: a desk that takes results with MPI_Testany and does other work between, from late workers
// standoff: ranks: 4
// standoff: expect: clean
// standoff: stdout: sum 60
#include <mpi.h>
#include <stdio.h>
#include <unistd.h>

static int desk(int size)
{
    int value[8], which, done, sum = 0, open = size - 1;
    MPI_Request requests[8];

    for (int w = 1; w < size; w++)
        MPI_Irecv(&value[w - 1], 1, MPI_INT, w, 0, MPI_COMM_WORLD, &requests[w - 1]);
    while (open) {
        MPI_Testany(size - 1, requests, &which, &done, MPI_STATUS_IGNORE);
        if (done && which != MPI_UNDEFINED) {
            sum += value[which];
            open--;
        } else {
            usleep(500); /* the other work */
        }
    }
    return sum;
}

int main(int argc, char **argv)
{
    int rank, size, value;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    value = 10 * rank;
    if (rank == 0) {
        printf("sum %d\n", desk(size));
    } else {
        usleep(600000 * (size - rank));
        MPI_Send(&value, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);
    }
    MPI_Finalize();
    return 0;
}
