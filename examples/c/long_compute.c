// standoff: title: one rank computes for two seconds while the others wait for its data
// standoff: ranks: 4
// standoff: expect: clean
// standoff: stdout: data 7
#include <mpi.h>
#include <stdio.h>

static int compute(double seconds)
{
    double until = MPI_Wtime() + seconds;
    volatile double x = 0;

    while (MPI_Wtime() < until)
        for (int i = 0; i < 100000; i++)
            x += i * 1e-9;
    return x > 0 ? 7 : 0;
}

int main(int argc, char **argv)
{
    int rank, data = 0;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 3)
        data = compute(2.0);
    MPI_Bcast(&data, 1, MPI_INT, 3, MPI_COMM_WORLD);
    if (rank == 1)
        MPI_Send(&data, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);
    if (rank == 0) {
        MPI_Recv(&data, 1, MPI_INT, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        printf("data %d\n", data);
    }
    MPI_Finalize();
    return 0;
}
