// standoff: title: a nonblocking broadcast is awaited by its root before the send that a worker wants first
// standoff: ranks: 2
// standoff: expect: clean
// standoff: stdout: order 3, step 5
// standoff: cured: ibcast_awaited_first_cured
// standoff: check: potential-deadlock
#include <mpi.h>
#include <stdio.h>

int main(int argc, char **argv) {
    int rank, order = 3, step = 0;
    MPI_Request request;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        step = 5;
        MPI_Ibcast(&step, 1, MPI_INT, 0, MPI_COMM_WORLD, &request);
        MPI_Wait(&request, MPI_STATUS_IGNORE);  // @check 0
        MPI_Send(&order, 1, MPI_INT, 1, 0, MPI_COMM_WORLD);
    } else {
        MPI_Recv(&order, 1, MPI_INT, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @check 1
        MPI_Ibcast(&step, 1, MPI_INT, 0, MPI_COMM_WORLD, &request);
        MPI_Wait(&request, MPI_STATUS_IGNORE);
        printf("order %d, step %d\n", order, step);
    }
    MPI_Finalize();
    return 0;
}
