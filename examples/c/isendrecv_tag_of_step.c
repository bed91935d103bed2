// standoff: title: a ring shift with MPI_Isendrecv in which one rank counts its steps from 1
// standoff: ranks: 2
// standoff: expect: deadlock
// standoff: core: 0, 1
// standoff: needs: mpi-4
// standoff: cured: isendrecv_tag_of_step_cured
// standoff: text: tag 1
#include <mpi.h>
#include <stdio.h>

static double shift(double mine, int partner, int step)
{
    double got = 0;
    MPI_Request both;

    MPI_Isendrecv(&mine, 1, MPI_DOUBLE, partner, step, &got, 1, MPI_DOUBLE, partner, step, MPI_COMM_WORLD, &both);
    MPI_Wait(&both, MPI_STATUS_IGNORE);  // @core 0, 1
    return got;
}

int main(int argc, char **argv)
{
    int rank, first;
    double value;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    value = rank;
    first = rank == 1 ? 1 : 0;
    for (int step = first; step < first + 3; step++)
        value = shift(value, 1 - rank, step);
    if (rank == 0)
        printf("after three shifts %.0f\n", value);
    MPI_Finalize();
    return 0;
}
