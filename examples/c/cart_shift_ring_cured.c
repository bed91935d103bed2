// standoff: title: cured: the receive is posted before, and waited for after the send
// standoff: ranks: 4
// standoff: expect: clean
// standoff: stdout: shifted by one
#include <mpi.h>
#include <stdio.h>

static void shift_by_one(MPI_Comm ring, int *value)
{
    int from, to, got;
    MPI_Request request;

    MPI_Cart_shift(ring, 0, 1, &from, &to);
    MPI_Irecv(&got, 1, MPI_INT, from, 0, ring, &request);
    MPI_Send(value, 1, MPI_INT, to, 0, ring);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    *value = got;
}

int main(int argc, char **argv)
{
    int size, periodic = 1, rank, value;
    MPI_Comm ring;

    MPI_Init(&argc, &argv);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Cart_create(MPI_COMM_WORLD, 1, &size, &periodic, 0, &ring);
    MPI_Comm_rank(ring, &rank);
    value = rank;
    shift_by_one(ring, &value);
    if (value == size - 1)
        puts("shifted by one");
    MPI_Comm_free(&ring);
    MPI_Finalize();
    return 0;
}
