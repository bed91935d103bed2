// standoff: title: cured: one side sends first
// standoff: ranks: 3
// standoff: expect: clean
// standoff: stdout: answer 42
#include <mpi.h>
#include <stdio.h>

static void compute(double seconds)
{
    double until = MPI_Wtime() + seconds;
    volatile double x = 0;

    while (MPI_Wtime() < until)
        for (int i = 0; i < 100000; i++)
            x += i * 1e-9;
}

static int ask(int question, int partner)
{
    int answer;

    MPI_Send(&question, 1, MPI_INT, partner, 0, MPI_COMM_WORLD);
    MPI_Recv(&answer, 1, MPI_INT, partner, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    return answer;
}

static void reply(int partner)
{
    int question;

    MPI_Recv(&question, 1, MPI_INT, partner, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    question *= 2;
    MPI_Send(&question, 1, MPI_INT, partner, 0, MPI_COMM_WORLD);
}

int main(int argc, char **argv)
{
    int rank;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0)
        compute(0.5);
    else if (rank == 1)
        printf("answer %d\n", ask(21, 2));
    else
        reply(1);
    MPI_Finalize();
    return 0;
}
