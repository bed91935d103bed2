// standoff: title: libraries give a send to MPI_PROC_NULL the handle of a finished one; cured: the sends come before the waits, and are awaited after the receive
// standoff: ranks: 2
// standoff: expect: clean
// standoff: stdout: both have halo and flux
// standoff: check: clean
#include <mpi.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    int me;
    MPI_Comm_rank(MPI_COMM_WORLD, &me);
    int mine = me, halo = -1, flux = -1, partner = 1 - me;
    // One neighbour; beyond the other border is nobody.
    MPI_Request sends[2];
    MPI_Isend(&mine, 1, MPI_INT, partner, 0, MPI_COMM_WORLD, &sends[0]);
    MPI_Isend(&mine, 1, MPI_INT, MPI_PROC_NULL, 0, MPI_COMM_WORLD, &sends[1]);
    MPI_Recv(&halo, 1, MPI_INT, partner, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Waitall(2, sends, MPI_STATUSES_IGNORE);

    MPI_Request first, second;
    MPI_Irecv(&halo, 1, MPI_INT, partner, 1, MPI_COMM_WORLD, &first);
    MPI_Irecv(&flux, 1, MPI_INT, partner, 2, MPI_COMM_WORLD, &second);
    MPI_Send(&mine, 1, MPI_INT, partner, 1, MPI_COMM_WORLD);
    MPI_Send(&mine, 1, MPI_INT, partner, 2, MPI_COMM_WORLD);
    MPI_Wait(&first, MPI_STATUS_IGNORE);
    MPI_Wait(&second, MPI_STATUS_IGNORE);
    MPI_Barrier(MPI_COMM_WORLD);
    if (me == 0 && halo == 1 && flux == 1)
        puts("both have halo and flux");
    MPI_Finalize();
    return 0;
}
