// standoff: title: the opening example cured: both sides use MPI_Sendrecv
// standoff: ranks: 9
// standoff: expect: clean
// standoff: stdout: rank 1 got b
// standoff: check: clean
#include <mpi.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    char mine, got = '?';
    int rank;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 1) {
        mine = 'a';
        MPI_Sendrecv(&mine, 1, MPI_CHAR, 5, 0, &got, 1, MPI_CHAR, 5, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        printf("rank 1 got %c\n", got);
        fflush(stdout);
    }
    if (rank == 5) {
        mine = 'b';
        MPI_Sendrecv(&mine, 1, MPI_CHAR, 1, 0, &got, 1, MPI_CHAR, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
    MPI_Finalize();
    return 0;
}
