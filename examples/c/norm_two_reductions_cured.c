// standoff: title: all ranks sum in the allreduce; counts, types and user-defined reductions are named in different ways that agree
// standoff: ranks: 4
// standoff: expect: clean
// standoff: stdout: residual computed
// standoff: check: clean
#include <mpi.h>
#include <stdio.h>

static void add(void *in, void *inout, int *n, MPI_Datatype *type)
{
    (void)type;
    for (int i = 0; i < *n; i++)
        ((double *)inout)[i] += ((double *)in)[i];
}

static void residual(int rank, double *norm, MPI_Op sum, MPI_Datatype pair)
{
    double own[2] = {1.0 + rank, 1.0}, all[2], parts[8];

    MPI_Allreduce(own, all, 2, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    MPI_Allreduce(MPI_IN_PLACE, own, 2, MPI_DOUBLE, sum, MPI_COMM_WORLD);
    /* one pair is two numbers */
    if (rank == 0)
        MPI_Gather(own, 1, pair, parts, 1, pair, 0, MPI_COMM_WORLD);
    else
        MPI_Gather(own, 2, MPI_DOUBLE, NULL, 0, MPI_DATATYPE_NULL, 0, MPI_COMM_WORLD);
    if (rank % 2)
        MPI_Bcast(parts, 4, pair, 0, MPI_COMM_WORLD);
    else
        MPI_Bcast(parts, 8, MPI_DOUBLE, 0, MPI_COMM_WORLD);
    *norm = all[0] / all[1];
}

/* Packed data and what it is unpacked to need not have one size. */
static void settings(int rank)
{
    char packed[64];
    int values[3] = {1, 2, 3}, position = 0;

    if (rank == 0) {
        MPI_Pack(values, 3, MPI_INT, packed, 64, &position, MPI_COMM_WORLD);
        MPI_Bcast(packed, position, MPI_PACKED, 0, MPI_COMM_WORLD);
    } else {
        MPI_Bcast(values, 3, MPI_INT, 0, MPI_COMM_WORLD);
    }
}

int main(int argc, char **argv)
{
    int rank;
    double norm = 0;
    MPI_Op sum;
    MPI_Datatype pair;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Op_create(add, 1, &sum);
    MPI_Type_contiguous(2, MPI_DOUBLE, &pair);
    MPI_Type_commit(&pair);
    for (int step = 0; step < 20; step++)
        residual(rank, &norm, sum, pair);
    settings(rank);
    MPI_Type_free(&pair);
    MPI_Op_free(&sum);
    if (rank == 0)
        printf("residual %s\n", norm > 0 ? "computed" : "missing");
    MPI_Finalize();
    return 0;
}
