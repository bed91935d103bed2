// standoff: title: a pipeline that sends two blocks ahead, while the stage after it acknowledges each
// standoff: ranks: 4
// standoff: expect: clean
// standoff: stdout: blocks 8
// standoff: cured: pipeline_acknowledged_cured
// standoff: check: potential-deadlock
//
// A stage sends its second block while the next one sends the acknowledgement of the first.
#include <mpi.h>
#include <stdio.h>

enum { BLOCK, ACK, BLOCKS = 8, AHEAD = 2 };

int main(int argc, char **argv) {
    int rank, size, taken = 0, sent = 0, acknowledged = 0, block = 0;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    while (taken < BLOCKS) {
        if (rank > 0) {
            MPI_Recv(&block, 1, MPI_INT, rank - 1, BLOCK, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            MPI_Send(&block, 1, MPI_INT, rank - 1, ACK, MPI_COMM_WORLD);  // @check 1
        }
        taken++;
        if (rank < size - 1) {
            MPI_Send(&block, 1, MPI_INT, rank + 1, BLOCK, MPI_COMM_WORLD);  // @check 0
            if (++sent - acknowledged == AHEAD) {
                MPI_Recv(&block, 1, MPI_INT, rank + 1, ACK, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
                acknowledged++;
            }
        }
    }
    for (; acknowledged < sent; acknowledged++)
        MPI_Recv(&block, 1, MPI_INT, rank + 1, ACK, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    if (rank == size - 1)
        printf("blocks %d\n", taken);
    MPI_Finalize();
    return 0;
}
