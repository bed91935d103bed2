// standoff: title: on an intercommunicator the sending root passes its own rank instead of MPI_ROOT
// standoff: ranks: 4
// standoff: expect: deadlock
// standoff: core: 0-1
// standoff: victims: 2-3
// standoff: text: the root gives MPI_ROOT
// standoff: cured: coupler_root_not_marked_cured
#include <mpi.h>
#include <stdio.h>

/* Ranks 0 and 1 are the ocean, 2 and 3 the atmosphere. */
int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank, local_rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    int ocean = rank < 2;
    MPI_Comm local, inter;
    MPI_Comm_split(MPI_COMM_WORLD, ocean, rank, &local);
    MPI_Intercomm_create(local, 0, MPI_COMM_WORLD, ocean ? 2 : 0, 99, &inter);
    MPI_Comm_rank(local, &local_rank);

    double surface[512] = {0};
    if (ocean)
        MPI_Bcast(surface, 512, MPI_DOUBLE, local_rank == 0 ? 0 : MPI_PROC_NULL, inter);  // @core 0
    else
        MPI_Bcast(surface, 512, MPI_DOUBLE, 0, inter);
    MPI_Barrier(local);  // @core 1
    if (rank == 2)
        printf("surface %g\n", surface[0]);
    MPI_Comm_free(&inter);
    MPI_Comm_free(&local);
    MPI_Finalize();
    return 0;
}
