// standoff: title: persistent collectives started in another order on each rank, while one rank is late
// standoff: ranks: 4
// standoff: expect: clean
// standoff: needs: mpi-4
// standoff: stdout: sum 24 greatest 6
#include <mpi.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int rank, mine = 0, sum = 0, greatest = 0, all = 0;
    MPI_Request made[3];

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Allreduce_init(&mine, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD, MPI_INFO_NULL, &made[0]);
    MPI_Barrier_init(MPI_COMM_WORLD, MPI_INFO_NULL, &made[1]);
    MPI_Allreduce_init(&mine, &greatest, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD, MPI_INFO_NULL, &made[2]);
    for (int step = 0; step < 4; step++) {
        mine = rank + step;
        if (rank == 3)
            usleep(400000);
        // MPI orders the makings only.
        for (int i = 0; i < 3; i++)
            MPI_Start(&made[(i + rank) % 3]);
        if (rank % 2) {
            MPI_Waitall(3, made, MPI_STATUSES_IGNORE);
        } else {
            for (int i = 2; i >= 0; i--)
                MPI_Wait(&made[i], MPI_STATUS_IGNORE);
        }
        MPI_Allreduce(&step, &all, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    }
    if (rank == 0)
        printf("sum %d greatest %d\n", sum + 6 * (all - 3) + 6, greatest);
    for (int i = 0; i < 3; i++)
        MPI_Request_free(&made[i]);
    MPI_Finalize();
    return 0;
}
