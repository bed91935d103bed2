// standoff: title: one rank begins a nonblocking barrier before the reduction, and awaits it
// standoff: ranks: 3
// standoff: expect: deadlock
// standoff: core: 0-2
// standoff: cured: iallreduce_ibarrier_swapped_cured
// standoff: text: collective calls that do not match
#include <mpi.h>
#include <stdio.h>

/* Large enough that no library lets a rank leave early. */
enum { N = 200000 };
static double mine[N], sum[N];

static void begin_sum(MPI_Request *request)
{
    MPI_Iallreduce(mine, sum, N, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD, request);
}

static void begin_barrier(MPI_Request *request)
{
    MPI_Ibarrier(MPI_COMM_WORLD, request);
}

int main(int argc, char **argv)
{
    int rank;
    MPI_Request requests[2];

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    mine[0] = rank;
    if (rank == 1) {
        begin_barrier(&requests[1]);
        MPI_Wait(&requests[1], MPI_STATUS_IGNORE);
        begin_sum(&requests[0]);
        MPI_Wait(&requests[0], MPI_STATUS_IGNORE);
    } else {
        begin_sum(&requests[0]);
        MPI_Wait(&requests[0], MPI_STATUS_IGNORE);
        begin_barrier(&requests[1]);
        MPI_Wait(&requests[1], MPI_STATUS_IGNORE);
    }
    if (rank == 0)
        printf("sum %.0f\n", sum[0]);
    MPI_Finalize();
    return 0;
}
