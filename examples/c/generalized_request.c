// standoff: title: a generalized request that another thread completes later
// standoff: ranks: 2
// standoff: expect: clean
// standoff: needs: thread-multiple
// standoff: stdout: background work done
#include <mpi.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static int query(void *state, MPI_Status *status)
{
    (void)state;
    MPI_Status_set_elements(status, MPI_CHAR, 0);
    MPI_Status_set_cancelled(status, 0);
    return MPI_SUCCESS;
}

static int release(void *state)
{
    (void)state;
    return MPI_SUCCESS;
}

static int cancel(void *state, int complete)
{
    (void)state, (void)complete;
    return MPI_SUCCESS;
}

static void *background(void *arg)
{
    usleep(1200000);
    MPI_Grequest_complete(*(MPI_Request *)arg);
    return NULL;
}

static void wait_for_background(void)
{
    MPI_Request request, handle;
    pthread_t thread;

    MPI_Grequest_start(query, release, cancel, NULL, &request);
    handle = request;
    pthread_create(&thread, NULL, background, &handle);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
    int rank, provided;

    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
    if (provided < MPI_THREAD_MULTIPLE)
        MPI_Abort(MPI_COMM_WORLD, 1);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 1)
        wait_for_background();
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0)
        puts("background work done");
    MPI_Finalize();
    return 0;
}
