// standoff: title: collective and independent file access between barriers, with a late rank
// standoff: ranks: 3
// standoff: expect: clean
// standoff: stdout: read back 3072 bytes
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PART = 1024 };

static void write_part(const char *path, int rank)
{
    MPI_File file;
    char part[PART];

    memset(part, 'a' + rank, PART);
    MPI_File_open(MPI_COMM_WORLD, path, MPI_MODE_CREATE | MPI_MODE_RDWR, MPI_INFO_NULL, &file);
    if (rank == 1)
        usleep(800000);
    MPI_File_write_at_all(file, (MPI_Offset)rank * PART, part, PART, MPI_CHAR, MPI_STATUS_IGNORE);
    MPI_File_close(&file);
}

static long read_back(const char *path)
{
    FILE *file = fopen(path, "rb");
    long size = 0;

    if (file) {
        fseek(file, 0, SEEK_END);
        size = ftell(file);
        fclose(file);
    }
    return size;
}

int main(int argc, char **argv)
{
    int rank;
    char path[] = "/tmp/mpi_io_example.XXXXXX";

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        int fd = mkstemp(path);
        if (fd < 0)
            MPI_Abort(MPI_COMM_WORLD, 1);
        close(fd);
    }
    MPI_Bcast(path, sizeof path, MPI_CHAR, 0, MPI_COMM_WORLD);
    write_part(path, rank);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) {
        printf("read back %ld bytes\n", read_back(path));
        unlink(path);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
