// standoff: title: cured: the consumer hands out its credits before it starts
// standoff: ranks: 2
// standoff: expect: clean
// standoff: stdout: consumed 5
#include <mpi.h>
#include <stdio.h>

enum { ITEM = 1, CREDIT = 2, ITEMS = 5 };

static void produce(void)
{
    for (int i = 0; i < ITEMS; i++) {
        MPI_Recv(NULL, 0, MPI_INT, 1, CREDIT, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Send(&i, 1, MPI_INT, 1, ITEM, MPI_COMM_WORLD);
    }
}

static void grant(void)
{
    MPI_Send(NULL, 0, MPI_INT, 0, CREDIT, MPI_COMM_WORLD);
}

static void consume(void)
{
    int item;

    grant();
    for (int i = 0; i < ITEMS; i++) {
        MPI_Recv(&item, 1, MPI_INT, 0, ITEM, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        if (i + 1 < ITEMS)
            grant();
    }
    printf("consumed %d\n", ITEMS);
}

int main(int argc, char **argv)
{
    int rank;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0)
        produce();
    else
        consume();
    MPI_Finalize();
    return 0;
}
