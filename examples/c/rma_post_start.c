// standoff: title: post, start, complete and wait with a late origin
// standoff: ranks: 2
// standoff: expect: clean
// standoff: stdout: got 42
#include <mpi.h>
#include <stdio.h>
#include <unistd.h>

static void expose(MPI_Win window, MPI_Group origin)
{
    MPI_Win_post(origin, 0, window);
    MPI_Win_wait(window);
}

static void put(MPI_Win window, MPI_Group target, int value)
{
    MPI_Win_start(target, 0, window);
    MPI_Put(&value, 1, MPI_INT, 0, 0, 1, MPI_INT, window);
    MPI_Win_complete(window);
}

int main(int argc, char **argv)
{
    int rank, partner, *memory;
    MPI_Group world, other;
    MPI_Win window;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    partner = 1 - rank;
    MPI_Comm_group(MPI_COMM_WORLD, &world);
    MPI_Group_incl(world, 1, &partner, &other);
    MPI_Win_allocate(sizeof(int), sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &memory, &window);
    if (rank == 0) {
        expose(window, other);
        printf("got %d\n", *memory);
    } else {
        usleep(1200000);
        put(window, other, 42);
    }
    MPI_Win_free(&window);
    MPI_Group_free(&other);
    MPI_Group_free(&world);
    MPI_Finalize();
    return 0;
}
