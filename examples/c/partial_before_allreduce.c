// standoff: title: workers send a spectrum before an all-reduce, the root takes it afterwards
// standoff: ranks: 3
// standoff: expect: clean
// standoff: stdout: residual 3.0, spectra 2
// standoff: cured: partial_before_allreduce_cured
// standoff: check: potential-deadlock
#include <mpi.h>
#include <stdio.h>

int main(int argc, char **argv) {
    int rank, size, spectra = 0;
    double spectrum[16] = {0}, residual, all;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    residual = 1.0;
    if (rank != 0)
        MPI_Send(spectrum, 16, MPI_DOUBLE, 0, 3, MPI_COMM_WORLD);  // @check 1-2
    MPI_Allreduce(&residual, &all, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);  // @check 0
    if (rank == 0) {
        for (int from = 1; from < size; from++, spectra++)
            MPI_Recv(spectrum, 16, MPI_DOUBLE, from, 3, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        printf("residual %.1f, spectra %d\n", all, spectra);
    }
    MPI_Finalize();
    return 0;
}
