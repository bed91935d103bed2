// standoff: title: workers send nonblocking, and wait after the all-reduce
// standoff: ranks: 3
// standoff: expect: clean
// standoff: stdout: residual 3.0, spectra 2
// standoff: check: clean
#include <mpi.h>
#include <stdio.h>

int main(int argc, char **argv) {
    int rank, size, spectra = 0;
    double spectrum[16] = {0}, residual, all;
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    residual = 1.0;
    if (rank != 0)
        MPI_Isend(spectrum, 16, MPI_DOUBLE, 0, 3, MPI_COMM_WORLD, &request);
    MPI_Allreduce(&residual, &all, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    if (rank == 0) {
        for (int from = 1; from < size; from++, spectra++)
            MPI_Recv(spectrum, 16, MPI_DOUBLE, from, 3, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        printf("residual %.1f, spectra %d\n", all, spectra);
    }
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    MPI_Finalize();
    return 0;
}
