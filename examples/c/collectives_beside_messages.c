// standoff: title: nonblocking collectives on two communicators while large messages go round a ring, with a late rank
// standoff: ranks: 5
// standoff: expect: clean
// standoff: stdout: norm 10 sum 10 from 4
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { N = 100000 };

int main(int argc, char **argv)
{
    int rank, size, norm, sum = 0;
    int *out = calloc(N, sizeof *out), *in = calloc(N, sizeof *in);
    MPI_Comm solver;
    MPI_Request dup, all[2], ring[2];

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (rank == 3)
        usleep(700000);
    MPI_Comm_idup(MPI_COMM_WORLD, &solver, &dup);
    out[0] = norm = rank;
    MPI_Irecv(in, N, MPI_INT, (rank + size - 1) % size, 1, MPI_COMM_WORLD, &ring[0]);
    MPI_Wait(&dup, MPI_STATUS_IGNORE);
    MPI_Iallreduce(MPI_IN_PLACE, &norm, 1, MPI_INT, MPI_SUM, solver, &all[0]);
    MPI_Ireduce(&rank, &sum, 1, MPI_INT, MPI_SUM, 0, MPI_COMM_WORLD, &all[1]);
    if (rank == 1)
        usleep(700000);
    MPI_Isend(out, N, MPI_INT, (rank + 1) % size, 1, MPI_COMM_WORLD, &ring[1]);
    MPI_Waitall(2, ring, MPI_STATUSES_IGNORE);
    MPI_Waitall(2, all, MPI_STATUSES_IGNORE);
    MPI_Comm_free(&solver);
    if (rank == 0)
        printf("norm %d sum %d from %d\n", norm, sum, in[0]);
    free(out);
    free(in);
    MPI_Finalize();
    return 0;
}
