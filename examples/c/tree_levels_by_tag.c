// standoff: title: a tree that adds up from any child, and tells its levels apart by tags
// standoff: ranks: 5
// standoff: expect: clean
// standoff: stdout: sum 15
// standoff: check: clean
#include <mpi.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    int rank, size, level = 0, sum, part;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    sum = rank + 1;
    for (int r = rank; r > 0; r = (r - 1) / 2)
        level++;
    for (int child = 2 * rank + 1; child <= 2 * rank + 2; child++)
        if (child < size) {
            MPI_Recv(&part, 1, MPI_INT, MPI_ANY_SOURCE, level + 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            sum += part;
        }
    if (rank > 0)
        MPI_Send(&sum, 1, MPI_INT, (rank - 1) / 2, level, MPI_COMM_WORLD);
    // The sum goes the same way down.
    if (rank > 0)
        MPI_Recv(&sum, 1, MPI_INT, MPI_ANY_SOURCE, 100, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    for (int child = 2 * rank + 1; child <= 2 * rank + 2; child++)
        if (child < size)
            MPI_Send(&sum, 1, MPI_INT, child, 100, MPI_COMM_WORLD);
    if (rank == size - 1)
        printf("sum %d\n", sum);
    MPI_Finalize();
    return 0;
}
