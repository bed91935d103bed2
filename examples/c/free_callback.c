// standoff: title: an attribute's delete callback, run inside MPI_Comm_free, sends what another rank waits for
// standoff: ranks: 2
// standoff: expect: clean
// standoff: stdout: rank 0 got the farewell
#include <mpi.h>
#include <stdio.h>
#include <unistd.h>

static int farewell(MPI_Comm comm, int key, void *value, void *extra)
{
    (void)comm, (void)key, (void)extra;
    sleep(1);
    return MPI_Send(value, 1, MPI_INT, 0, 3, MPI_COMM_WORLD);
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    int me, key, word = 7, got = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &me);
    MPI_Comm library;
    MPI_Comm_dup(MPI_COMM_WORLD, &library);
    MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, farewell, &key, NULL);
    if (me == 1)
        MPI_Comm_set_attr(library, key, &word);
    else
        MPI_Recv(&got, 1, MPI_INT, 1, 3, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Comm_free(&library);
    if (me == 0 && got == 7)
        puts("rank 0 got the farewell");
    MPI_Finalize();
    return 0;
}
