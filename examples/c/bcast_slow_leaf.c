// standoff: title: hundreds of small broadcasts whose root runs ahead of a slow leaf
// standoff: ranks: 4
// standoff: expect: clean
// standoff: stdout: 300 broadcasts
#include <mpi.h>
#include <stdio.h>
#include <unistd.h>

enum { BROADCASTS = 300 };

static int receive_all(int rank)
{
    int sum = 0;

    for (int i = 0; i < BROADCASTS; i++) {
        int value = rank == 0 ? 1 : 0;
        if (rank == 3)
            usleep(5000);
        MPI_Bcast(&value, 1, MPI_INT, 0, MPI_COMM_WORLD);
        sum += value;
    }
    return sum;
}

int main(int argc, char **argv)
{
    int rank, sum, least;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    sum = receive_all(rank);
    MPI_Reduce(&sum, &least, 1, MPI_INT, MPI_MIN, 2, MPI_COMM_WORLD);
    if (rank == 2)
        printf("%d broadcasts\n", least);
    MPI_Finalize();
    return 0;
}
