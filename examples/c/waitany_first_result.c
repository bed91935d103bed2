// standoff: title: the first result that MPI_Waitany tells decides whose details the master asks for
// standoff: ranks: 3
// standoff: expect: clean
// standoff: stdout: details of rank 1
// standoff: cured: waitany_first_result_cured
// standoff: check: potential-deadlock
//
// Rank 2 computes only when rank 1 has reported, so that rank 1's result is mostly told first. It has no details.
#include <mpi.h>
#include <stdio.h>

enum { RESULT, GO, DETAIL };

int main(int argc, char **argv) {
    int rank, results[2], detail = 0, which;
    MPI_Request requests[2];
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        for (int from = 1; from <= 2; from++)
            MPI_Irecv(&results[from - 1], 1, MPI_INT, from, RESULT, MPI_COMM_WORLD, &requests[from - 1]);
        MPI_Waitany(2, requests, &which, MPI_STATUS_IGNORE);
        MPI_Recv(&detail, 1, MPI_INT, which + 1, DETAIL, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @check 0
        MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
        printf("details of rank %d\n", which + 1);
    } else if (rank == 1) {
        MPI_Send(&rank, 1, MPI_INT, 0, RESULT, MPI_COMM_WORLD);
        MPI_Send(&detail, 1, MPI_INT, 0, DETAIL, MPI_COMM_WORLD);
        MPI_Send(&rank, 1, MPI_INT, 2, GO, MPI_COMM_WORLD);
    } else {
        MPI_Recv(&detail, 1, MPI_INT, 1, GO, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Send(&rank, 1, MPI_INT, 0, RESULT, MPI_COMM_WORLD);
    }
    MPI_Finalize();
    return 0;
}
// standoff: check-left: 2
