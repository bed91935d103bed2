// standoff: title: producer waits for credits, consumer for items, and the first credit is missing
// standoff: ranks: 2
// standoff: expect: deadlock
// standoff: core: 0, 1
// standoff: cured: credits_bounded_buffer_cured
// standoff: text: MPI_Recv
#include <mpi.h>
#include <stdio.h>

enum { ITEM = 1, CREDIT = 2, ITEMS = 5 };

static void produce(void)
{
    for (int i = 0; i < ITEMS; i++) {
        MPI_Recv(NULL, 0, MPI_INT, 1, CREDIT, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @core 0
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

    for (int i = 0; i < ITEMS; i++) {
        MPI_Recv(&item, 1, MPI_INT, 0, ITEM, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @core 1
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
