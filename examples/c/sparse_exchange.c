// standoff: title: sparse exchange of unknown partners: Issend, Iprobe and a nonblocking barrier
// standoff: ranks: 4
// standoff: expect: clean
// standoff: stdout: 12 received
#include <mpi.h>
#include <stdio.h>
#include <unistd.h>

static int exchange(int rank, int size)
{
    int partner = (rank * 3 + 1) % size, value = rank, received = 0;
    int sent = 0, arrived, in_barrier = 0, done = 0;
    MPI_Request send, barrier;
    MPI_Status status;

    MPI_Issend(&value, 1, MPI_INT, partner, 0, MPI_COMM_WORLD, &send);
    while (!done) {
        MPI_Iprobe(MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, &arrived, &status);
        if (arrived) {
            MPI_Recv(&value, 1, MPI_INT, status.MPI_SOURCE, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            received++;
        }
        if (in_barrier) {
            MPI_Test(&barrier, &done, MPI_STATUS_IGNORE);
        } else {
            MPI_Test(&send, &sent, MPI_STATUS_IGNORE);
            if (sent) {
                MPI_Ibarrier(MPI_COMM_WORLD, &barrier);
                in_barrier = 1;
            }
        }
    }
    return received;
}

int main(int argc, char **argv)
{
    int rank, size, received = 0, total;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    for (int round = 0; round < 3; round++) {
        if (rank == round)
            usleep(400000);
        received += exchange(rank, size);
        MPI_Barrier(MPI_COMM_WORLD);
    }
    MPI_Reduce(&received, &total, 1, MPI_INT, MPI_SUM, 0, MPI_COMM_WORLD);
    if (rank == 0)
        printf("%d received\n", total);
    MPI_Finalize();
    return 0;
}
