// standoff: title: MPI_Comm_create called by the members of the new group only
// standoff: ranks: 4
// standoff: expect: deadlock
// standoff: core: 0-3
// standoff: cured: comm_create_by_members_cured
// standoff: text: MPI_Comm_create
#include <mpi.h>
#include <stdio.h>

static MPI_Comm writers(int rank)
{
    int members[2] = {0, 2};
    MPI_Group all, some;
    MPI_Comm comm = MPI_COMM_NULL;

    MPI_Comm_group(MPI_COMM_WORLD, &all);
    MPI_Group_incl(all, 2, members, &some);
    if (rank % 2 == 0)
        MPI_Comm_create(MPI_COMM_WORLD, some, &comm);  // @core 0, 2
    MPI_Group_free(&some);
    MPI_Group_free(&all);
    return comm;
}

int main(int argc, char **argv)
{
    int rank, bytes = 100, all = 0;
    MPI_Comm comm;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    comm = writers(rank);
    if (comm != MPI_COMM_NULL) {
        MPI_Reduce(&bytes, &all, 1, MPI_INT, MPI_SUM, 0, comm);
        MPI_Comm_free(&comm);
    }
    MPI_Barrier(MPI_COMM_WORLD);  // @core 1, 3
    if (rank == 0)
        printf("bytes %d\n", all);
    MPI_Finalize();
    return 0;
}
