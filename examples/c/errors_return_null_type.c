// standoff: title: a wrong datatype is an error that the program handles
// standoff: ranks: 2
// standoff: expect: clean
// standoff: stdout: 2 errors handled
#include <mpi.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    int rank, value = 0, values[2], errors = 0;
    MPI_Comm comm;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
    errors += MPI_Bcast(&value, 1, MPI_DATATYPE_NULL, 0, comm) != MPI_SUCCESS;
    errors += MPI_Allgather(&value, 1, MPI_INT, values, 1, MPI_DATATYPE_NULL, comm) != MPI_SUCCESS;
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0)
        printf("%d errors handled\n", errors);
    MPI_Comm_free(&comm);
    MPI_Finalize();
    return 0;
}
