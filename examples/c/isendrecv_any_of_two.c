// standoff: title: of two large exchanges any may end first, but both partners receive with another tag
// standoff: ranks: 3
// standoff: expect: deadlock
// standoff: core: 0-2
// standoff: needs: mpi-4
// standoff: cured: isendrecv_any_of_two_cured
// standoff: text: MPI_Waitany
#include <mpi.h>
#include <stdio.h>

enum { CELLS = 1 << 20, FACE = 4, EDGE = 5 };

static char out[CELLS], in[2][CELLS];

int main(int argc, char **argv)
{
    int rank;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        MPI_Request halos[2];
        int index;

        for (int i = 0; i < 2; i++)
            MPI_Isendrecv(out, CELLS, MPI_CHAR, i + 1, FACE, in[i], 1, MPI_CHAR, i + 1, FACE, MPI_COMM_WORLD, &halos[i]);
        for (int i = 0; i < 2; i++)
            MPI_Waitany(2, halos, &index, MPI_STATUS_IGNORE);  // @core 0
        printf("both halos\n");
    } else {
        // What rank 0 receives is there at once: half of each exchange is done.
        MPI_Send(out, 1, MPI_CHAR, 0, FACE, MPI_COMM_WORLD);
        MPI_Recv(in[0], CELLS, MPI_CHAR, 0, EDGE, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @core 1-2
    }
    MPI_Finalize();
    return 0;
}
