// standoff: title: all call it
// standoff: ranks: 4
// standoff: expect: clean
// standoff: stdout: checkpoints 2
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CELLS = 100, STEPS = 6, EVERY = 3 };

static void checkpoint(const double *cells, int rank, const char *path, int *written)
{
    MPI_File file;

    MPI_File_open(MPI_COMM_WORLD, path, MPI_MODE_CREATE | MPI_MODE_WRONLY, MPI_INFO_NULL, &file);
    MPI_File_write_at_all(file, rank * CELLS * sizeof *cells, cells, CELLS, MPI_DOUBLE, MPI_STATUS_IGNORE);
    MPI_File_close(&file);
    if (rank == 0)
        ++*written;
    MPI_Barrier(MPI_COMM_WORLD);
}

int main(int argc, char **argv)
{
    double cells[CELLS], ghost;
    int rank, size, written = 0;
    char path[64];

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    snprintf(path, sizeof path, "%s/cells-%d", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", (int)getpid());
    MPI_Bcast(path, sizeof path, MPI_CHAR, 0, MPI_COMM_WORLD);
    for (int i = 0; i < CELLS; i++)
        cells[i] = rank;
    for (int step = 1; step <= STEPS; step++) {
        MPI_Sendrecv(&cells[CELLS - 1], 1, MPI_DOUBLE, (rank + 1) % size, 0, &ghost, 1, MPI_DOUBLE,
                     (rank + size - 1) % size, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        cells[0] = ghost;
        if (step % EVERY == 0)
            checkpoint(cells, rank, path, &written);
    }
    if (rank == 0) {
        unlink(path);
        printf("checkpoints %d\n", written);
    }
    MPI_Finalize();
    return 0;
}
