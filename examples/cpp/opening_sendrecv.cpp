// standoff: title: the opening example cured: both sides use MPI_Sendrecv
// standoff: ranks: 9
// standoff: expect: clean
// standoff: stdout: rank 1 got b
#include <mpi.h>
#include <iostream>

// One letter to or from another rank.
static char exchange(char letter, int other)
{
    char got = '?';
    MPI_Sendrecv(&letter, 1, MPI_CHAR, other, 0, &got, 1, MPI_CHAR, other, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    return got;
}

int main(int argc, char **argv)
{
    int rank;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 1) {
        char got = exchange('a', 5);
        std::cout << "rank 1 got " << got << std::endl;
    }
    if (rank == 5)
        exchange('b', 1);
    MPI_Finalize();
    return 0;
}
