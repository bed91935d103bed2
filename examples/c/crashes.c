// standoff: title: a rank crashes while the others wait for it
// standoff: ranks: 3
// standoff: expect: failed
#include <mpi.h>
#include <stddef.h>

static double read_cell(const double *field, int index)
{
    return field[index];
}

int main(int argc, char **argv)
{
    int rank;
    double value = 0;
    const double *volatile field = NULL;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 1)
        value = read_cell(field, 5);
    MPI_Bcast(&value, 1, MPI_DOUBLE, 1, MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
