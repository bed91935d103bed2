// standoff: title: the receiver takes the header first
// standoff: ranks: 3
// standoff: expect: clean
// standoff: stdout: last hello
#include <mpi.h>
#include <stdio.h>

enum { HEADER = 10, BODY = 20 };

struct record {
    int length;
    char text[32];
};

static void send_record(const struct record *r, int to)
{
    MPI_Ssend(&r->length, 1, MPI_INT, to, HEADER, MPI_COMM_WORLD);
    MPI_Ssend(r->text, r->length, MPI_CHAR, to, BODY, MPI_COMM_WORLD);
}

static void receive_record(struct record *r, int from)
{
    MPI_Recv(&r->length, 1, MPI_INT, from, HEADER, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Recv(r->text, r->length, MPI_CHAR, from, BODY, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

int main(int argc, char **argv)
{
    int rank;
    struct record r = {6, "hello"};

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank)
        send_record(&r, 0);
    else
        for (int from = 1; from < 3; from++)
            receive_record(&r, from);
    if (rank == 0)
        printf("last %s\n", r.text);
    MPI_Finalize();
    return 0;
}
