// standoff: title: a rank without work leaves and never begins the nonblocking all-reduce
// standoff: ranks: 4
// standoff: expect: deadlock
// standoff: core: 0-1, 3
// standoff: left: 2
// standoff: cured: overlap_iallreduce_cured
// standoff: text: MPI_Iallreduce
#include <mpi.h>
#include <stdio.h>

static int overlapped_sum(int mine)
{
    MPI_Request request;
    int sum;
    volatile double x = 1.0;

    MPI_Iallreduce(&mine, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD, &request);
    for (int i = 0; i < 1000; i++)
        x = x * 0.5 + 1.0;
    MPI_Wait(&request, MPI_STATUS_IGNORE);  // @core 0-1, 3
    return sum;
}

int main(int argc, char **argv)
{
    int rank, work, sum;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    work = rank == 2 ? 0 : 2;
    if (work > 0) {
        sum = overlapped_sum(work);
        if (rank == 0)
            printf("work %d\n", sum);
    }
    MPI_Finalize();
    return 0;
}
