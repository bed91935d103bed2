// standoff: title: cured: the diagnostics rank does both in the order of the others
// standoff: ranks: 4
// standoff: expect: clean
// standoff: stdout: step 1.0
#include <mpi.h>
#include <stdio.h>

static MPI_Comm solver;

static double time_step(double mine)
{
    double step;

    MPI_Allreduce(&mine, &step, 1, MPI_DOUBLE, MPI_MIN, solver);
    return step;
}

static void diagnostics(void)
{
    MPI_Barrier(MPI_COMM_WORLD);
}

int main(int argc, char **argv)
{
    int rank;
    double step;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_dup(MPI_COMM_WORLD, &solver);
    step = time_step(1.0 + rank);
    diagnostics();
    if (rank == 0)
        printf("step %.1f\n", step);
    MPI_Comm_free(&solver);
    MPI_Finalize();
    return 0;
}
