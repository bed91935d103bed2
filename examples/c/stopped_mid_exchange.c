// standoff: title: a rank is stopped and continued in the middle of large exchanges
// standoff: ranks: 2
// standoff: expect: clean
// standoff: needs: sigstop
// standoff: stdout: 40 exchanges
//
// A child process stops rank 1 after 0.3 s and continues it two seconds later. It
// stops at an arbitrary place, which may well be a send that waits.
#include <mpi.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 1 << 20 };

static pid_t stop_parent_for_a_while(void)
{
    pid_t parent = getpid(), child = fork();

    if (child == 0) {
        usleep(300000);
        kill(parent, SIGSTOP);
        usleep(2000000);
        kill(parent, SIGCONT);
        _exit(0);
    }
    return child;
}

static void exchange(char *out, char *in, int rank)
{
    if (rank == 0) {
        MPI_Send(out, SIZE, MPI_CHAR, 1, 0, MPI_COMM_WORLD);
        MPI_Recv(in, SIZE, MPI_CHAR, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    } else {
        MPI_Recv(in, SIZE, MPI_CHAR, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Send(out, SIZE, MPI_CHAR, 0, 0, MPI_COMM_WORLD);
    }
}

int main(int argc, char **argv)
{
    int rank, i;
    pid_t child = 0;
    char *out = calloc(SIZE, 1), *in = malloc(SIZE);

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 1)
        child = stop_parent_for_a_while();
    for (i = 0; i < 40; i++) {
        usleep(15000);
        exchange(out, in, rank);
    }
    if (child > 0)
        waitpid(child, NULL, 0);
    if (rank == 0)
        printf("%d exchanges\n", i);
    MPI_Finalize();
    free(out);
    free(in);
    return 0;
}
