// standoff: title: cured: every leaf sends up first
// standoff: ranks: 7
// standoff: expect: clean
// standoff: stdout: sum 21
#include <mpi.h>
#include <stdio.h>

static int receive_from(int rank)
{
    int value;

    MPI_Recv(&value, 1, MPI_INT, rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    return value;
}

static void send_to(int rank, int value)
{
    MPI_Send(&value, 1, MPI_INT, rank, 0, MPI_COMM_WORLD);
}

static int reduce_up(int rank, int size)
{
    int sum = rank;

    for (int child = 2 * rank + 1; child <= 2 * rank + 2 && child < size; child++)
        sum += receive_from(child);
    if (rank > 0)
        send_to((rank - 1) / 2, sum);
    return sum;
}

static int spread_down(int rank, int size, int sum)
{
    if (rank > 0)
        sum = receive_from((rank - 1) / 2);
    for (int child = 2 * rank + 1; child <= 2 * rank + 2 && child < size; child++)
        send_to(child, sum);
    return sum;
}

int main(int argc, char **argv)
{
    int rank, size, sum;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    sum = reduce_up(rank, size);
    sum = spread_down(rank, size, sum);
    if (rank == 0)
        printf("sum %d\n", sum);
    MPI_Finalize();
    return 0;
}
