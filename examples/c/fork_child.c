// standoff: title: a rank forks a child and waits for it while the others wait for the rank
// standoff: ranks: 3
// standoff: expect: clean
// standoff: stdout: child said 4
#include <mpi.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static int ask_child(void)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        usleep(1500000);
        _exit(4);
    }
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
    int rank, answer = 0;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 1)
        answer = ask_child();
    MPI_Bcast(&answer, 1, MPI_INT, 1, MPI_COMM_WORLD);
    if (rank == 0)
        printf("child said %d\n", answer);
    MPI_Finalize();
    return 0;
}
