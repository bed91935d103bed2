// standoff: title: a master in MPI_Waitsome for results, and workers that wait for work
// standoff: ranks: 3
// standoff: expect: deadlock
// standoff: core: 0-2
// standoff: cured: waitsome_farm_cured
// standoff: text: MPI_Waitsome
#include <mpi.h>
#include <stdio.h>

enum { WORKERS = 2, WORK = 1, RESULT = 2 };

static void hand_out(void)
{
    for (int w = 1; w <= WORKERS; w++)
        MPI_Send(&w, 1, MPI_INT, w, WORK, MPI_COMM_WORLD);
}

static int collect(void)
{
    MPI_Request requests[WORKERS];
    int values[WORKERS], indices[WORKERS], some, results = 0;

    for (int w = 0; w < WORKERS; w++)
        MPI_Irecv(&values[w], 1, MPI_INT, w + 1, RESULT, MPI_COMM_WORLD, &requests[w]);
    while (results < WORKERS) {
        MPI_Waitsome(WORKERS, requests, &some, indices, MPI_STATUSES_IGNORE);  // @core 0
        results += some;
    }
    return results;
}

static void work(void)
{
    int item;

    MPI_Recv(&item, 1, MPI_INT, 0, WORK, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @core 1-2
    MPI_Send(&item, 1, MPI_INT, 0, RESULT, MPI_COMM_WORLD);
}

int main(int argc, char **argv)
{
    int rank;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        printf("%d results\n", collect());
        hand_out();
    } else {
        work();
    }
    MPI_Finalize();
    return 0;
}
