// standoff: title: a rank waits for a ghost row from a neighbour that computes, beside a short message that is taken after a barrier
// standoff: ranks: 3
// standoff: expect: clean
// standoff: stdout: steps done: 2
// standoff: check: potential-deadlock
//
// The wait of rank 0 tells nothing of its short message: that one is done, but the call returns when the row is there, too. Once with
// MPI_Waitall, once with MPI_Sendrecv. It is done only because the library buffers it, which is what `check` says.
#include <mpi.h>
#include <stdio.h>
#include <time.h>

enum { CELLS = 64 };

static void compute(void)
{
    struct timespec long_enough = {1, 0};

    nanosleep(&long_enough, NULL);
}

int main(int argc, char **argv)
{
    int rank, note = 0, last = 0;
    double row[CELLS] = {0};
    MPI_Request requests[2];

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    for (int step = 1; step <= 2; step++) {
        if (rank == 0) {
            note = step;
            if (step == 2) {
                MPI_Sendrecv(&note, 1, MPI_INT, 2, 7, row, CELLS, MPI_DOUBLE, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            } else {
                MPI_Isend(&note, 1, MPI_INT, 2, 7, MPI_COMM_WORLD, &requests[0]);
                MPI_Irecv(row, CELLS, MPI_DOUBLE, 1, 0, MPI_COMM_WORLD, &requests[1]);
                MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);  // @check 0
            }
        } else if (rank == 1) {
            compute();
            row[0] = step;
            MPI_Send(row, CELLS, MPI_DOUBLE, 0, 0, MPI_COMM_WORLD);
        }
        MPI_Barrier(MPI_COMM_WORLD);  // @check 2
        if (rank == 2) {
            MPI_Recv(&note, 1, MPI_INT, 0, 7, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            last = note;
        }
    }
    if (rank == 2)
        printf("steps done: %d\n", last);
    MPI_Finalize();
    return 0;
}
