// standoff: title: a look-up whose answer comes from the owner, and is awaited from the directory
// standoff: ranks: 4
// standoff: expect: deadlock
// standoff: core: 1
// standoff: left: 0
// standoff: cured: directory_answers_cured
// standoff: text: rank 0
#include <mpi.h>
#include <stdio.h>

enum { QUERY = 1, FORWARD, ANSWER };

static void directory(void)
{
    int key;
    MPI_Status status;

    MPI_Recv(&key, 1, MPI_INT, MPI_ANY_SOURCE, QUERY, MPI_COMM_WORLD, &status);
    MPI_Send(&status.MPI_SOURCE, 1, MPI_INT, 2 + key % 2, FORWARD, MPI_COMM_WORLD);
}

static void owner(int value)
{
    int asker;

    MPI_Recv(&asker, 1, MPI_INT, 0, FORWARD, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Send(&value, 1, MPI_INT, asker, ANSWER, MPI_COMM_WORLD);
}

static int look_up(int key)
{
    int value;

    MPI_Send(&key, 1, MPI_INT, 0, QUERY, MPI_COMM_WORLD);
    MPI_Recv(&value, 1, MPI_INT, 0, ANSWER, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @core 1
    return value;
}

int main(int argc, char **argv)
{
    int rank;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    switch (rank) {
    case 0: directory(); break;
    case 1: printf("value %d\n", look_up(17)); break;
    case 3: owner(42); break;
    }
    MPI_Finalize();
    return 0;
}
