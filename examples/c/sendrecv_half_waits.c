// standoff: title: an exchange by MPI_Sendrecv whose partner receives something else first
// standoff: ranks: 2
// standoff: expect: clean
// standoff: stdout: pressure 2, header 9
// standoff: cured: sendrecv_half_waits_cured
// standoff: check: potential-deadlock
//
// MPI_Sendrecv is over when both its halves are. Rank 1 wants the header, which follows, before the pressure.
#include <mpi.h>
#include <stdio.h>

enum { PRESSURE, HEADER };

int main(int argc, char **argv) {
    int rank, mine, pressure = 0, header = 9;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    mine = rank + 1;
    if (rank == 0) {
        MPI_Status *none = MPI_STATUS_IGNORE;
        MPI_Comm all = MPI_COMM_WORLD;
        MPI_Sendrecv(&mine, 1, MPI_INT, 1, PRESSURE, &pressure, 1, MPI_INT, 1, PRESSURE, all, none);  // @check 0
        MPI_Send(&header, 1, MPI_INT, 1, HEADER, MPI_COMM_WORLD);
        printf("pressure %d, header %d\n", pressure, header);
    } else {
        MPI_Send(&mine, 1, MPI_INT, 0, PRESSURE, MPI_COMM_WORLD);
        MPI_Recv(&header, 1, MPI_INT, 0, HEADER, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @check 1
        MPI_Recv(&pressure, 1, MPI_INT, 0, PRESSURE, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
    MPI_Finalize();
    return 0;
}
