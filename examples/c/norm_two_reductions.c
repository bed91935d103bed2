// standoff: title: the last rank takes the maximum in an allreduce in which the others sum, and nothing hangs
// standoff: ranks: 4
// standoff: expect: clean
// standoff: warns: collective-mismatch
// standoff: text: ranks 0–2 called MPI_Allreduce with MPI_SUM on
// standoff: text: rank 3 called MPI_Allreduce with MPI_MAX on
// standoff: cured: norm_two_reductions_cured
// standoff: check: clean
// standoff: check-warns: collective-mismatch
#include <mpi.h>
#include <stdio.h>

static void residual(int rank, int size, double *norm)
{
    double own[2] = {1.0 + rank, 1.0}, all[2];

    if (rank == size - 1)
        /* the boundary: written for the maximum norm */
        MPI_Allreduce(own, all, 2, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);  // @warn // @check-warn
    else
        MPI_Allreduce(own, all, 2, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);  // @warn // @check-warn
    *norm = all[0] / all[1];
}

int main(int argc, char **argv)
{
    int rank, size;
    double norm = 0;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    for (int step = 0; step < 3; step++)
        residual(rank, size, &norm);
    if (rank == 0)
        printf("residual %s\n", norm > 0 ? "computed" : "missing");
    MPI_Finalize();
    return 0;
}
