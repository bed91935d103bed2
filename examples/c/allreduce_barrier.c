// standoff: title: one rank calls MPI_Barrier where the others call MPI_Allreduce on a duplicate
// standoff: ranks: 4
// standoff: expect: deadlock
// standoff: core: 0-3
// standoff: cured: allreduce_barrier_cured
// standoff: text: MPI_Allreduce
#include <mpi.h>
#include <stdio.h>

static MPI_Comm solver;

static double time_step(double mine)
{
    double step;

    MPI_Allreduce(&mine, &step, 1, MPI_DOUBLE, MPI_MIN, solver);  // @core 0-2
    return step;
}

static void diagnostics(void)
{
    MPI_Barrier(MPI_COMM_WORLD);  // @core 3
}

int main(int argc, char **argv)
{
    int rank;
    double step;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_dup(MPI_COMM_WORLD, &solver);
    if (rank == 3) {
        diagnostics();
        step = time_step(1.0 + rank);
    } else {
        step = time_step(1.0 + rank);
        diagnostics();
    }
    if (rank == 0)
        printf("step %.1f\n", step);
    MPI_Comm_free(&solver);
    MPI_Finalize();
    return 0;
}
