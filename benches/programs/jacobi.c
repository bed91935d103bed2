/* The heat equation on a square cut into strips: each sweep exchanges the strips' edges and sums the change over all ranks.
 * Prints microseconds a sweep, in the fastest of many passes. */
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

enum { N = 768, SWEEPS = 4 };
static const double SECONDS = 0.4;

static double sweep(int rows, double (*u)[N], double (*v)[N]) {
    double change = 0;
    for (int i = 1; i <= rows; i++)
        for (int j = 1; j < N - 1; j++) {
            v[i][j] = 0.25 * (u[i - 1][j] + u[i + 1][j] + u[i][j - 1] + u[i][j + 1]);
            change += fabs(v[i][j] - u[i][j]);
        }
    return change;
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int up = rank > 0 ? rank - 1 : MPI_PROC_NULL, down = rank + 1 < size ? rank + 1 : MPI_PROC_NULL;
    int rows = N / size;
    double(*u)[N] = calloc(rows + 2, sizeof *u), (*v)[N] = calloc(rows + 2, sizeof *v);
    if (!u || !v)
        MPI_Abort(MPI_COMM_WORLD, 1);
    for (int i = 0; i < rows + 2; i++)
        u[i][0] = v[i][0] = 100;
    double best = 1e30, total = 0, end = MPI_Wtime() + SECONDS;
    int more = 1;
    for (int pass = 0; more; pass++) {
        double begin = MPI_Wtime();
        for (int s = 0; s < SWEEPS; s++) {
            MPI_Request requests[4];
            MPI_Irecv(u[0], N, MPI_DOUBLE, up, 0, MPI_COMM_WORLD, &requests[0]);
            MPI_Irecv(u[rows + 1], N, MPI_DOUBLE, down, 0, MPI_COMM_WORLD, &requests[1]);
            MPI_Isend(u[1], N, MPI_DOUBLE, up, 0, MPI_COMM_WORLD, &requests[2]);
            MPI_Isend(u[rows], N, MPI_DOUBLE, down, 0, MPI_COMM_WORLD, &requests[3]);
            MPI_Waitall(4, requests, MPI_STATUSES_IGNORE);
            double change = sweep(rows, u, v);
            MPI_Allreduce(&change, &total, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
            double(*swap)[N] = u;
            u = v;
            v = swap;
        }
        double took = MPI_Wtime() - begin;
        if (pass > 0 && took < best)
            best = took;
        more = begin < end;
        MPI_Bcast(&more, 1, MPI_INT, 0, MPI_COMM_WORLD);
    }
    if (rank == 0 && total > 0)
        printf("%.3f\n", best * 1e6 / SWEEPS);
    MPI_Finalize();
    return 0;
}
