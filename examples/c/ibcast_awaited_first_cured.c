// standoff: title: the root sends before it awaits the broadcast
// standoff: ranks: 2
// standoff: expect: clean
// standoff: stdout: order 3, step 5
// standoff: check: clean
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
        MPI_Send(&order, 1, MPI_INT, 1, 0, MPI_COMM_WORLD);
        MPI_Wait(&request, MPI_STATUS_IGNORE);
    } else {
        MPI_Recv(&order, 1, MPI_INT, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Ibcast(&step, 1, MPI_INT, 0, MPI_COMM_WORLD, &request);
        MPI_Wait(&request, MPI_STATUS_IGNORE);
        printf("order %d, step %d\n", order, step);
    }
    MPI_Finalize();
    return 0;
}
