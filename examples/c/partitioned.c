// standoff: title: a partitioned send whose partitions become ready one by one
// standoff: ranks: 2
// standoff: expect: clean
// standoff: stdout: 4 partitions
#include <mpi.h>
#include <stdio.h>
#include <unistd.h>

enum { PARTS = 4, SIZE = 100 };

#if MPI_VERSION >= 4
static void send_parts(int *data)
{
    MPI_Request request;

    MPI_Psend_init(data, PARTS, SIZE, MPI_INT, 1, 0, MPI_COMM_WORLD, MPI_INFO_NULL, &request);
    MPI_Start(&request);
    for (int part = 0; part < PARTS; part++) {
        usleep(300000);
        MPI_Pready(part, request);
    }
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    MPI_Request_free(&request);
}

static void receive_parts(int *data)
{
    MPI_Request request;

    MPI_Precv_init(data, PARTS, SIZE, MPI_INT, 0, 0, MPI_COMM_WORLD, MPI_INFO_NULL, &request);
    MPI_Start(&request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    MPI_Request_free(&request);
}
#else /* The library is older than partitioned communication. */
static void send_parts(int *data)
{
    usleep(1200000);
    MPI_Send(data, PARTS * SIZE, MPI_INT, 1, 0, MPI_COMM_WORLD);
}

static void receive_parts(int *data)
{
    MPI_Recv(data, PARTS * SIZE, MPI_INT, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}
#endif

int main(int argc, char **argv)
{
    static int data[PARTS * SIZE];
    int rank;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        send_parts(data);
    } else {
        receive_parts(data);
        printf("%d partitions\n", PARTS);
    }
    MPI_Finalize();
    return 0;
}
