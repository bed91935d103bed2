// standoff: title: results taken with MPI_Waitany, and a worker with nothing to say sends none
// standoff: ranks: 5
// standoff: expect: deadlock
// standoff: core: 0, 3
// standoff: victims: 1, 2, 4
// standoff: cured: waitany_one_too_many_cured
// standoff: text: rank 3
#include <mpi.h>
#include <stdio.h>

static int particles(int rank)
{
    static const int of[] = {0, 7, 5, 0, 2};
    return of[rank];
}

static int collect(int size)
{
    int count[8], total = 0, which;
    MPI_Request requests[8];

    for (int w = 1; w < size; w++)
        MPI_Irecv(&count[w], 1, MPI_INT, w, 3, MPI_COMM_WORLD, &requests[w - 1]);
    for (int w = 1; w < size; w++) {
        MPI_Waitany(size - 1, requests, &which, MPI_STATUS_IGNORE);  // @core 0
        total += count[which + 1];
    }
    return total;
}

int main(int argc, char **argv)
{
    int rank, size, mine, total = 0;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    mine = particles(rank);
    if (rank == 0)
        total = collect(size);
    else if (mine > 0)
        MPI_Send(&mine, 1, MPI_INT, 0, 3, MPI_COMM_WORLD);
    MPI_Bcast(&total, 1, MPI_INT, 0, MPI_COMM_WORLD);  // @core 3
    if (rank == 1)
        printf("total %d\n", total);
    MPI_Finalize();
    return 0;
}
