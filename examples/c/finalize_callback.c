// standoff: title: an attribute callback inside MPI_Finalize sends what another rank waits for
// standoff: ranks: 3
// standoff: expect: clean
// standoff: stdout: last words 99
#include <mpi.h>
#include <stdio.h>
#include <unistd.h>

static int last_words(MPI_Comm comm, int key, void *value, void *extra)
{
    int words = 99;

    (void)comm, (void)key, (void)value, (void)extra;
    usleep(1000000);
    MPI_Send(&words, 1, MPI_INT, 0, 5, MPI_COMM_WORLD);
    return MPI_SUCCESS;
}

static void on_finalize(void)
{
    int key;

    MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, last_words, &key, NULL);
    MPI_Comm_set_attr(MPI_COMM_SELF, key, NULL);
}

int main(int argc, char **argv)
{
    int rank, words;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 1)
        on_finalize();
    if (rank == 0) {
        MPI_Recv(&words, 1, MPI_INT, 1, 5, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        printf("last words %d\n", words);
    }
    MPI_Finalize();
    return 0;
}
