// standoff: title: a rank whose rows are missing returns from main, without MPI_Finalize, and with status 0
// standoff: ranks: 4
// standoff: expect: failed
// standoff: mpi: openmpi
// standoff: text: rank 2 exited with status 0, without MPI_Finalize
//
// The status of MPICH's launcher is 0 or not, as it happens.
#include <mpi.h>
#include <stdio.h>

/* The number of rows that a rank has to look after; -1 when the file ends before. */
static int read_rows(int rank)
{
    static const int rows[] = {40, 40, 0, 40};
    return rows[rank] > 0 ? rows[rank] : -1;
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    int rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    int rows = read_rows(rank), all;
    if (rows < 0) {
        fprintf(stderr, "rank %d: no rows\n", rank);
        return 0;
    }
    MPI_Allreduce(&rows, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
