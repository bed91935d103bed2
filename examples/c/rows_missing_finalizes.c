// standoff: title: a rank whose rows are missing finalizes and returns, while the others add up theirs
// standoff: ranks: 4
// standoff: expect: deadlock
// standoff: core: 0-1, 3
// standoff: left: 2
// standoff: cured: rows_missing_finalizes_cured
// standoff: text: rank 2 finished here
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
        MPI_Finalize();
        return 0;
    }
    MPI_Allreduce(&rows, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD); // @core 0-1, 3
    if (rank == 0)
        printf("rows %d\n", all);
    MPI_Finalize();
    return 0;
}
