/* A plugin host looks pthread_create up by itself, as foreign-function interfaces and some runtimes do; the thread so
 * started sends, after a while, what both ranks wait for. */
// standoff: title: a thread started past the dynamic linker
// standoff: ranks: 2
// standoff: expect: clean
// standoff: needs: thread-multiple
// standoff: stdout: both answers
#define _GNU_SOURCE
#include <dlfcn.h>
#include <mpi.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

static int rank;

static void *plugin(void *argument)
{
    int answer = *(int *)argument;
    struct timespec second = {1, 0};
    nanosleep(&second, NULL);
    MPI_Send(&answer, 1, MPI_INT, 1 - rank, 5, MPI_COMM_WORLD);
    return NULL;
}

int main(int argc, char **argv)
{
    int level, got, answer = 21;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &level);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);

    void *libc = dlopen("libc.so.6", RTLD_NOW);
    int (*start)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    *(void **)&start = dlsym(libc, "pthread_create");
    pthread_t thread;
    if (start(&thread, NULL, plugin, &answer) != 0)
        return 1;

    MPI_Recv(&got, 1, MPI_INT, 1 - rank, 5, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    pthread_join(thread, NULL);
    int all;
    MPI_Reduce(&got, &all, 1, MPI_INT, MPI_SUM, 0, MPI_COMM_WORLD);
    if (rank == 0)
        printf("%s\n", all == 42 ? "both answers" : "one is missing");
    MPI_Finalize();
    return 0;
}
