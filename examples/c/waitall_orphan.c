// standoff: title: MPI_Waitall over a set of receives of which one is never matched
// standoff: ranks: 4
// standoff: expect: deadlock
// standoff: core: 0, 3
// standoff: victims: 1-2
// standoff: cured: waitall_orphan_cured
// standoff: text: MPI_Waitall
// standoff: text: posted at
// standoff: text: waitall_orphan.c:21: rank 3 sent tag 2 at
#include <mpi.h>
#include <stdio.h>

#define WORKERS 3

static void collect(int step)
{
    MPI_Request requests[WORKERS];
    double parts[WORKERS];

    for (int i = 0; i < WORKERS; i++)
        MPI_Irecv(&parts[i], 1, MPI_DOUBLE, i + 1, step, MPI_COMM_WORLD, &requests[i]);
    MPI_Waitall(WORKERS, requests, MPI_STATUSES_IGNORE);  // @core 0
    printf("step %d collected\n", step);
}

static void deliver(int rank, int step)
{
    double part = rank * 0.5;

    MPI_Send(&part, 1, MPI_DOUBLE, 0, rank == 3 ? step - 1 : step, MPI_COMM_WORLD);
}

static void synchronize(void)
{
    MPI_Barrier(MPI_COMM_WORLD);  // @core 3
}

int main(int argc, char **argv)
{
    int rank, step = 3;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0)
        collect(step);
    else
        deliver(rank, step);
    synchronize();
    MPI_Finalize();
    return 0;
}
