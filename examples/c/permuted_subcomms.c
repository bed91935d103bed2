// standoff: title: rings on subcommunicators whose ranks are the world ranks of others
// standoff: ranks: 6
// standoff: expect: clean
// standoff: stdout: 20 laps
#include <mpi.h>
#include <stdio.h>
#include <unistd.h>

static void lap(MPI_Comm team)
{
    int rank, size, token = 0;

    MPI_Comm_rank(team, &rank);
    MPI_Comm_size(team, &size);
    int right = (rank + 1) % size, left = (rank + size - 1) % size;
    if (rank == 0) {
        usleep(30000);
        MPI_Ssend(&token, 1, MPI_INT, right, 0, team);
        MPI_Recv(&token, 1, MPI_INT, left, 0, team, MPI_STATUS_IGNORE);
    } else {
        MPI_Recv(&token, 1, MPI_INT, left, 0, team, MPI_STATUS_IGNORE);
        MPI_Ssend(&token, 1, MPI_INT, right, 0, team);
    }
}

int main(int argc, char **argv)
{
    int rank, laps;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    for (laps = 0; laps < 20; laps++) {
        MPI_Comm team;
        MPI_Comm_split(MPI_COMM_WORLD, laps % 2 ? rank % 2 : rank / 3, (rank * 5 + laps) % 6, &team);
        lap(team);
        MPI_Comm_free(&team);
    }
    if (rank == 0)
        printf("%d laps\n", laps);
    MPI_Finalize();
    return 0;
}
