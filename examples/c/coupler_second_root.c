// standoff: title: clients hand their results to the first server, but one names another root; the library lets it pass
// standoff: ranks: 5
// standoff: expect: clean
// standoff: warns: collective-mismatch
// standoff: text: ranks 2 and 4 called MPI_Gather with root 0
// standoff: text: rank 3 called MPI_Gather with root 1
// standoff: text: the roots do not fit
// standoff: cured: coupler_second_root_cured
#include <mpi.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    int rank, mine, all[8];
    MPI_Comm group, coupler;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    int server = rank < 2;
    MPI_Comm_split(MPI_COMM_WORLD, server, rank, &group);
    MPI_Comm_rank(group, &mine);
    MPI_Intercomm_create(group, 0, MPI_COMM_WORLD, server ? 2 : 0, 9, &coupler);
    if (server) {
        MPI_Gather(NULL, 0, MPI_INT, all, 1, MPI_INT, mine == 0 ? MPI_ROOT : MPI_PROC_NULL, coupler); // @warn
        if (mine == 0)
            printf("results of %d, %d and %d\n", all[0], all[1], all[2]);
    } else {
        /* The client in the middle was to use the second server once. */
        MPI_Gather(&rank, 1, MPI_INT, NULL, 0, MPI_INT, mine == 1 ? 1 : 0, coupler); // @warn
    }
    MPI_Comm_free(&coupler);
    MPI_Comm_free(&group);
    MPI_Finalize();
    return 0;
}
