// standoff: title: cured: both reduce to rank 0
// standoff: ranks: 2
// standoff: expect: clean
// standoff: stdout: energy 3
#include <mpi.h>
#include <stdio.h>

static double energy(double mine, int root)
{
    double sum = 0;

    MPI_Reduce(&mine, &sum, 1, MPI_DOUBLE, MPI_SUM, root, MPI_COMM_WORLD);
    return sum;
}

int main(int argc, char **argv)
{
    int rank;
    double sum;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    sum = energy(1.0 + rank, 0);
    if (rank == 0)
        printf("energy %.0f\n", sum);
    MPI_Finalize();
    return 0;
}
