// standoff: title: threads that only compute run beside a main thread that waits for a slow rank
// standoff: ranks: 3
// standoff: expect: clean
// standoff: stdout: area 3.14
#include <mpi.h>
#include <pthread.h>
#include <stdio.h>

enum { THREADS = 2, STEPS = 4000000 };

struct part {
    int first, step;
    double sum;
};

static void *integrate(void *argument)
{
    struct part *part = argument;

    for (long i = part->first; i < STEPS; i += part->step) {
        double x = (i + 0.5) / STEPS;
        part->sum += 4 / (1 + x * x);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    int rank, size, level;
    double mine = 0, area;
    struct part parts[THREADS];
    pthread_t threads[THREADS];

    MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    for (int round = 0; round < 10 * rank + 1; round++) {
        mine = 0;
        for (int t = 0; t < THREADS; t++) {
            parts[t] = (struct part){rank * THREADS + t, size * THREADS, 0};
            pthread_create(&threads[t], NULL, integrate, &parts[t]);
        }
        for (int t = 0; t < THREADS; t++) {
            pthread_join(threads[t], NULL);
            mine += parts[t].sum / STEPS;
        }
    }
    MPI_Reduce(&mine, &area, 1, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0)
        printf("area %.2f\n", area);
    MPI_Finalize();
    return 0;
}
