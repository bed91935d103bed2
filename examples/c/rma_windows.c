// standoff: title: one-sided communication with fences, locks and a late rank
// standoff: ranks: 3
// standoff: expect: clean
// standoff: stdout: counter 30
#include <mpi.h>
#include <stdio.h>
#include <unistd.h>

static void fenced(MPI_Win window, int rank, int size)
{
    int value = 0;

    MPI_Win_fence(0, window);
    if (rank == 2)
        usleep(700000);
    MPI_Put(&value, 1, MPI_INT, (rank + 1) % size, 0, 1, MPI_INT, window);
    MPI_Win_fence(0, window);
}

static void locked(MPI_Win window, int rank)
{
    int one = 1;

    for (int i = 0; i < 10; i++) {
        MPI_Win_lock(MPI_LOCK_EXCLUSIVE, 0, 0, window);
        MPI_Accumulate(&one, 1, MPI_INT, 0, 0, 1, MPI_INT, MPI_SUM, window);
        if (rank == 1 && i == 5)
            usleep(500000);
        MPI_Win_unlock(0, window);
    }
}

int main(int argc, char **argv)
{
    int rank, size, *memory;
    MPI_Win window;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Win_allocate(sizeof(int), sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &memory, &window);
    *memory = -1;
    MPI_Barrier(MPI_COMM_WORLD);
    fenced(window, rank, size);
    MPI_Barrier(MPI_COMM_WORLD);
    locked(window, rank);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) {
        MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, window);
        printf("counter %d\n", *memory);
        MPI_Win_unlock(0, window);
    }
    MPI_Win_free(&window);
    MPI_Finalize();
    return 0;
}
