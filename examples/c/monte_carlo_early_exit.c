// standoff: title: Monte Carlo with early exit: the collector counts a batch that was never sent
// standoff: ranks: 4
// standoff: expect: deadlock
// standoff: core: 0
// standoff: left: 1-3
// standoff: cured: monte_carlo_early_exit_cured
// standoff: text: MPI_Recv
#include <mpi.h>
#include <stdio.h>

enum { BATCH = 1, END = 2 };

static int collect(int workers, int per_worker)
{
    int batches = 0;
    double estimate;
    MPI_Status status;

    while (batches < workers * per_worker) {
        MPI_Recv(&estimate, 1, MPI_DOUBLE, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &status);  // @core 0
        if (status.MPI_TAG == BATCH)
            batches++;
    }
    return batches;
}

static void sample(int rank, int batches)
{
    double estimate = 3.0;

    for (int i = 0; i < batches; i++) {
        if (i > rank)
            break; /* good enough */
        estimate += 0.1 / (i + 1);
        MPI_Send(&estimate, 1, MPI_DOUBLE, 0, BATCH, MPI_COMM_WORLD);
    }
}

int main(int argc, char **argv)
{
    int rank, size, batches = 2;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (rank == 0)
        printf("collected %d batches\n", collect(size - 1, batches + 1));
    else
        sample(rank, batches);
    MPI_Finalize();
    return 0;
}
