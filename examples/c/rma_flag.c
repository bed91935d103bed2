// standoff: title: a rank polls its own memory for a flag that another puts there
// standoff: ranks: 3
// standoff: expect: clean
// standoff: stdout: flag seen
//
// No call of MPI tells of the wait: the ranks that wait in the barrier wait for a
// rank that is not blocked at all.
#include <mpi.h>
#include <stdio.h>
#include <unistd.h>

static int read_flag(MPI_Win window, int rank)
{
    int flag, zero = 0;

    MPI_Fetch_and_op(&zero, &flag, MPI_INT, rank, 0, MPI_NO_OP, window);
    MPI_Win_flush(rank, window);
    return flag;
}

static void raise_flag(MPI_Win window, int rank)
{
    int one = 1;

    MPI_Accumulate(&one, 1, MPI_INT, rank, 0, 1, MPI_INT, MPI_REPLACE, window);
    MPI_Win_flush(rank, window);
}

int main(int argc, char **argv)
{
    int rank, *memory;
    MPI_Win window;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Win_allocate(sizeof(int), sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &memory, &window);
    *memory = 0;
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Win_lock_all(0, window);
    if (rank == 1) {
        usleep(1200000);
        raise_flag(window, 0);
    }
    if (rank == 0) {
        while (!read_flag(window, 0))
            usleep(1000);
        puts("flag seen");
    }
    MPI_Win_unlock_all(window);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Win_free(&window);
    MPI_Finalize();
    return 0;
}
