// standoff: title: a solver returns early on one rank, its partner waits for the result
// standoff: ranks: 3
// standoff: expect: deadlock
// standoff: core: 0
// standoff: left: 1
// standoff: victims: 2
// standoff: cured: early_return_cured
// standoff: text: rank 1
#include <mpi.h>
#include <stdio.h>

static void solve(int rank, int unknowns)
{
    int result = 2 * unknowns;

    if (unknowns == 0)
        return; /* nothing to solve */
    MPI_Send(&result, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);
    if (rank == 2)
        MPI_Recv(&result, 1, MPI_INT, 0, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

static int result_of(int rank)
{
    int result;

    MPI_Recv(&result, 1, MPI_INT, rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @core 0
    return result;
}

int main(int argc, char **argv)
{
    int rank;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        int one = result_of(1), two = result_of(2);
        MPI_Send(&two, 1, MPI_INT, 2, 1, MPI_COMM_WORLD);
        printf("results %d and %d\n", one, two);
    } else {
        solve(rank, rank == 1 ? 0 : rank);
    }
    MPI_Finalize();
    return 0;
}
