// standoff: title: a farm in which any worker may take any task, and all workers are alike
// standoff: ranks: 3
// standoff: expect: clean
// standoff: stdout: area 40
// standoff: check: clean
//
// Every result may come first; the master never relies on which.
#include <mpi.h>
#include <stdio.h>

enum { TASKS = 4, WORK = 1, STOP = 2, RESULT = 3 };

static void serve(int workers)
{
    int next = 0, area = 0, active = 0, none = 0, result;
    MPI_Status status;

    for (int w = 1; w <= workers; w++, next++, active++)
        MPI_Send(&next, 1, MPI_INT, w, WORK, MPI_COMM_WORLD);
    while (active > 0) {
        MPI_Recv(&result, 1, MPI_INT, MPI_ANY_SOURCE, RESULT, MPI_COMM_WORLD, &status);
        area += result;
        if (next < TASKS) {
            MPI_Send(&next, 1, MPI_INT, status.MPI_SOURCE, WORK, MPI_COMM_WORLD);
            next++;
        } else {
            MPI_Send(&none, 1, MPI_INT, status.MPI_SOURCE, STOP, MPI_COMM_WORLD);
            active--;
        }
    }
    printf("area %d\n", area);
}

static void work(void)
{
    int strip, result;
    MPI_Status status;

    for (;;) {
        MPI_Recv(&strip, 1, MPI_INT, 0, MPI_ANY_TAG, MPI_COMM_WORLD, &status);
        if (status.MPI_TAG == STOP)
            return;
        result = 4 + 4 * strip;
        MPI_Send(&result, 1, MPI_INT, 0, RESULT, MPI_COMM_WORLD);
    }
}

int main(int argc, char **argv)
{
    int rank, size;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (rank == 0)
        serve(size - 1);
    else
        work();
    MPI_Finalize();
    return 0;
}
