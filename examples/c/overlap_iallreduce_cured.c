// standoff: title: cured: it takes part with zero
// standoff: ranks: 4
// standoff: expect: clean
// standoff: stdout: work 6
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
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    return sum;
}

int main(int argc, char **argv)
{
    int rank, work, sum;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    work = rank == 2 ? 0 : 2;
    sum = overlapped_sum(work);
    if (rank == 0)
        printf("work %d\n", sum);
    MPI_Finalize();
    return 0;
}
