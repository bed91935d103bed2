// standoff: title: all ranks call it
// standoff: ranks: 4
// standoff: expect: clean
// standoff: stdout: bytes 200
#include <mpi.h>
#include <stdio.h>

static MPI_Comm writers(void)
{
    int members[2] = {0, 2};
    MPI_Group all, some;
    MPI_Comm comm = MPI_COMM_NULL;

    MPI_Comm_group(MPI_COMM_WORLD, &all);
    MPI_Group_incl(all, 2, members, &some);
    MPI_Comm_create(MPI_COMM_WORLD, some, &comm);
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
    comm = writers();
    if (comm != MPI_COMM_NULL) {
        MPI_Reduce(&bytes, &all, 1, MPI_INT, MPI_SUM, 0, comm);
        MPI_Comm_free(&comm);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0)
        printf("bytes %d\n", all);
    MPI_Finalize();
    return 0;
}
