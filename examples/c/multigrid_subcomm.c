// standoff: title: deadlock on the coarse grid of one subcommunicator while the other finishes
// standoff: ranks: 6
// standoff: expect: deadlock
// standoff: core: 0, 2, 4
// standoff: cured: multigrid_subcomm_cured
// standoff: text: MPI_Recv
//
// The subcommunicators number their ranks backwards, so ranks in them and in the
// world differ: world ranks 4, 2, 0 are ranks 0, 1, 2 of the one that hangs.
#include <mpi.h>
#include <stdio.h>

static double coarse_correction(MPI_Comm team, double value, int careful)
{
    int rank, size;
    double other;

    MPI_Comm_rank(team, &rank);
    MPI_Comm_size(team, &size);
    int right = (rank + 1) % size, left = (rank + size - 1) % size;
    if (careful) {
        MPI_Sendrecv(&value, 1, MPI_DOUBLE, right, 0, &other, 1, MPI_DOUBLE, left, 0, team, MPI_STATUS_IGNORE);
        return other;
    }
    MPI_Recv(&other, 1, MPI_DOUBLE, left, 0, team, MPI_STATUS_IGNORE);  // @core 0, 2, 4
    MPI_Send(&value, 1, MPI_DOUBLE, right, 0, team);
    return other;
}

static double v_cycle(MPI_Comm team, int careful)
{
    double residual = 1.0;

    for (int level = 0; level < 3; level++)
        residual = coarse_correction(team, residual * 0.5, careful);
    return residual;
}

int main(int argc, char **argv)
{
    int rank;
    MPI_Comm team;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_split(MPI_COMM_WORLD, rank % 2, -rank, &team);
    v_cycle(team, rank % 2 == 1);
    if (rank == 0)
        puts("corrected");
    MPI_Comm_free(&team);
    MPI_Finalize();
    return 0;
}
