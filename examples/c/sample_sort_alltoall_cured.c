// standoff: title: cured: it takes part with empty buckets
// standoff: ranks: 4
// standoff: expect: clean
// standoff: stdout: sorted 48 keys
#include <mpi.h>
#include <stdio.h>

#define RANKS 4

static int bucket_sizes(const int *out, int *in)
{
    int total = 0;

    MPI_Alltoall(out, 1, MPI_INT, in, 1, MPI_INT, MPI_COMM_WORLD);
    for (int i = 0; i < RANKS; i++)
        total += in[i];
    return total;
}

static int sort(int keys)
{
    int out[RANKS], in[RANKS];

    for (int i = 0; i < RANKS; i++)
        out[i] = keys / RANKS;
    return bucket_sizes(out, in);
}

int main(int argc, char **argv)
{
    int rank, keys, mine = 0, all;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    keys = rank == 2 ? 0 : 16;
    mine = sort(keys);
    MPI_Reduce(&mine, &all, 1, MPI_INT, MPI_SUM, 0, MPI_COMM_WORLD);
    if (rank == 0)
        printf("sorted %d keys\n", all);
    MPI_Finalize();
    return 0;
}
