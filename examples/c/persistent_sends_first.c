// standoff: title: a persistent ring exchange that completes its send before it starts the receive
// standoff: ranks: 4
// standoff: expect: clean
// standoff: stdout: value 2
// standoff: cured: persistent_sends_first_cured
// standoff: check: potential-deadlock
#include <mpi.h>
#include <stdio.h>

int main(int argc, char **argv) {
    int rank, size, out, in;
    MPI_Request send, receive;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    out = rank;
    MPI_Send_init(&out, 1, MPI_INT, (rank + 1) % size, 0, MPI_COMM_WORLD, &send);
    MPI_Recv_init(&in, 1, MPI_INT, (rank + size - 1) % size, 0, MPI_COMM_WORLD, &receive);
    for (int step = 0; step < 2; step++) {
        MPI_Start(&send);
        MPI_Wait(&send, MPI_STATUS_IGNORE);  // @check 0-3
        MPI_Start(&receive);
        MPI_Wait(&receive, MPI_STATUS_IGNORE);
        out = in;
    }
    if (rank == 0)
        printf("value %d\n", out);
    MPI_Request_free(&send);
    MPI_Request_free(&receive);
    MPI_Finalize();
    return 0;
}
