// standoff: title: a collector in MPI_Mprobe for anything, from ranks that wait for its answer
// standoff: ranks: 3
// standoff: expect: deadlock
// standoff: core: 0-2
// standoff: cured: mprobe_wildcard_cured
// standoff: text: MPI_Mprobe
#include <mpi.h>
#include <stdio.h>

static void collect(int reporters)
{
    MPI_Message message;
    MPI_Status status;
    int value;

    for (int i = 0; i < reporters; i++) {
        MPI_Mprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &message, &status);  // @core 0
        MPI_Mrecv(&value, 1, MPI_INT, &message, MPI_STATUS_IGNORE);
        MPI_Send(&value, 1, MPI_INT, status.MPI_SOURCE, 1, MPI_COMM_WORLD);
    }
    printf("collected %d\n", reporters);
}

static void report(int rank)
{
    int answer;

    MPI_Recv(&answer, 1, MPI_INT, 0, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @core 1-2
    MPI_Send(&rank, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);
}

int main(int argc, char **argv)
{
    int rank, size;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (rank == 0)
        collect(size - 1);
    else
        report(rank);
    MPI_Finalize();
    return 0;
}
