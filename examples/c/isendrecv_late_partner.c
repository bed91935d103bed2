// standoff: title: exchanges with MPI_Isendrecv and MPI_Isendrecv_replace, from any source too, with a partner that is late and an end without partner
// standoff: ranks: 3
// standoff: expect: clean
// standoff: needs: mpi-4
// standoff: stdout: 3 2 1
#include <mpi.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int rank, left, right, mine, got = 0, any = 0, done = 0;
    MPI_Request both;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    left = rank > 0 ? rank - 1 : MPI_PROC_NULL;
    right = rank < 2 ? rank + 1 : MPI_PROC_NULL;
    mine = rank + 1;
    if (rank == 1)
        sleep(1);
    MPI_Isendrecv(&mine, 1, MPI_INT, right, 1, &got, 1, MPI_INT, left, 1, MPI_COMM_WORLD, &both);
    while (!done)
        MPI_Test(&both, &done, MPI_STATUS_IGNORE);
    if (rank == 2)
        sleep(1);
    MPI_Isendrecv_replace(&mine, 1, MPI_INT, (rank + 1) % 3, 2, (rank + 2) % 3, 2, MPI_COMM_WORLD, &both);
    MPI_Waitall(1, &both, MPI_STATUSES_IGNORE);
    if (rank == 0)
        sleep(1);
    MPI_Isendrecv(&rank, 1, MPI_INT, (rank + 1) % 3, 3, &any, 1, MPI_INT, MPI_ANY_SOURCE, 3, MPI_COMM_WORLD, &both);
    MPI_Wait(&both, MPI_STATUS_IGNORE);
    if (rank == 0)
        printf("%d %d %d\n", mine, any, got + 1);
    MPI_Finalize();
    return 0;
}
