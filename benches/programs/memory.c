/* Resident memory of the largest rank in KiB: after MPI_Init and a barrier (`start`), after many messages each with a tag of
 * its own (`tags`), after many communicators (`comms`). */
#include <mpi.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGES = 200000, COMMUNICATORS = 5000 };

static long resident(void) {
    long kib = -1;
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (sscanf(line, "VmRSS: %ld", &kib) == 1)
            break;
    if (status)
        fclose(status);
    return kib;
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    const char *what = argc > 1 ? argv[1] : "start";
    int rank, data = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Barrier(MPI_COMM_WORLD);
    if (strcmp(what, "tags") == 0) {
        for (int tag = 0; tag < MESSAGES; tag++)
            if (rank == 0)
                MPI_Send(&data, 1, MPI_INT, 1, tag, MPI_COMM_WORLD);
            else
                MPI_Recv(&data, 1, MPI_INT, 0, tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
    if (strcmp(what, "comms") == 0) {
        for (int i = 0; i < COMMUNICATORS; i++) {
            MPI_Comm comm;
            MPI_Comm_dup(MPI_COMM_WORLD, &comm);
            MPI_Sendrecv_replace(&data, 1, MPI_INT, 1 - rank, 0, 1 - rank, 0, comm, MPI_STATUS_IGNORE);
            MPI_Comm_free(&comm);
        }
    }
    long mine = resident(), most = 0;
    MPI_Reduce(&mine, &most, 1, MPI_LONG, MPI_MAX, 0, MPI_COMM_WORLD);
    if (rank == 0)
        printf("%ld\n", most);
    MPI_Finalize();
    return 0;
}
