// standoff: title: partners half the ranks away, which is no pairing when the number of ranks is odd
// standoff: ranks: 5
// standoff: expect: deadlock
// standoff: core: 0-4
// standoff: cured: pairs_of_odd_size_cured
// standoff: text: MPI_Recv
#include <mpi.h>
#include <stdio.h>

static int partner_of(int rank, int size)
{
    return (rank + size / 2) % size;
}

static double exchange(double mine, int partner, int rank)
{
    double theirs;

    if (rank < partner) {
        MPI_Send(&mine, 1, MPI_DOUBLE, partner, 0, MPI_COMM_WORLD);
        MPI_Recv(&theirs, 1, MPI_DOUBLE, partner, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @core 0-2
    } else {
        MPI_Recv(&theirs, 1, MPI_DOUBLE, partner, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @core 3, 4
        MPI_Send(&mine, 1, MPI_DOUBLE, partner, 0, MPI_COMM_WORLD);
    }
    return theirs;
}

int main(int argc, char **argv)
{
    int rank, size;
    double sum;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    sum = rank + exchange(rank, partner_of(rank, size), rank);
    if (rank == 0)
        printf("sum %.0f\n", sum);
    MPI_Finalize();
    return 0;
}
