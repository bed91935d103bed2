// standoff: title: the receive of the next acknowledgement is posted before the block is sent
// standoff: ranks: 4
// standoff: expect: clean
// standoff: stdout: blocks 8
// standoff: check: clean
#include <mpi.h>
#include <stdio.h>

enum { BLOCK, ACK, BLOCKS = 8, AHEAD = 2 };

int main(int argc, char **argv) {
    int rank, size, taken = 0, sent = 0, block = 0, ack[AHEAD];
    MPI_Request acks[AHEAD] = {MPI_REQUEST_NULL, MPI_REQUEST_NULL};
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    while (taken < BLOCKS) {
        if (rank > 0) {
            MPI_Recv(&block, 1, MPI_INT, rank - 1, BLOCK, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            MPI_Send(&block, 1, MPI_INT, rank - 1, ACK, MPI_COMM_WORLD);
        }
        taken++;
        if (rank < size - 1) {
            int slot = sent++ % AHEAD;
            MPI_Wait(&acks[slot], MPI_STATUS_IGNORE);
            MPI_Irecv(&ack[slot], 1, MPI_INT, rank + 1, ACK, MPI_COMM_WORLD, &acks[slot]);
            MPI_Send(&block, 1, MPI_INT, rank + 1, BLOCK, MPI_COMM_WORLD);
        }
    }
    MPI_Waitall(AHEAD, acks, MPI_STATUSES_IGNORE);
    if (rank == size - 1)
        printf("blocks %d\n", taken);
    MPI_Finalize();
    return 0;
}
