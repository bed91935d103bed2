// standoff: title: the first and the third result told together by MPI_Waitsome are taken for more than two results
// standoff: ranks: 4
// standoff: expect: clean
// standoff: stdout: all three results are in
// standoff: cured: waitsome_two_of_three_cured
// standoff: check: potential-deadlock
// standoff: check-left: 3
//
// All three are there when the master looks, so here it is told of them together. If MPI_Waitsome tells of the first and the third alone,
// the master waits for a bound that nobody sends.
#include <mpi.h>
#include <stdio.h>

enum { RESULT, SENT, BOUND };

int main(int argc, char **argv) {
    int rank, results[3], bound = 0, n, told[3];
    MPI_Request requests[3];
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        for (int i = 0; i < 3; i++)
            MPI_Irecv(&results[i], 1, MPI_INT, i + 1, RESULT, MPI_COMM_WORLD, &requests[i]);
        for (int i = 0; i < 3; i++)
            MPI_Recv(&bound, 1, MPI_INT, i + 1, SENT, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        for (int have = 0; have < 3; have += n) {
            MPI_Waitsome(3, requests, &n, told, MPI_STATUSES_IGNORE);
            if (n == 2 && told[0] + told[1] == 2)
                MPI_Recv(&bound, 1, MPI_INT, 3, BOUND, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @check 0
        }
        printf("all three results are in\n");
    } else {
        MPI_Send(&rank, 1, MPI_INT, 0, RESULT, MPI_COMM_WORLD);
        MPI_Send(&rank, 1, MPI_INT, 0, SENT, MPI_COMM_WORLD);
    }
    MPI_Finalize();
    return 0;
}
