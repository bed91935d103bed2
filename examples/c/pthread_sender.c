// standoff: title: the main threads wait for messages that other threads send later
// standoff: ranks: 2
// standoff: expect: clean
// standoff: needs: thread-multiple
// standoff: stdout: both woken
#include <mpi.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

struct job {
    int to, tag;
};

static void *send_later(void *arg)
{
    struct job *job = arg;

    usleep(1000000);
    MPI_Send(NULL, 0, MPI_INT, job->to, job->tag, MPI_COMM_WORLD);
    return NULL;
}

static void wait_for(int from, int tag)
{
    MPI_Recv(NULL, 0, MPI_INT, from, tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

int main(int argc, char **argv)
{
    int rank, provided;
    pthread_t self_waker, other_waker;

    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
    if (provided < MPI_THREAD_MULTIPLE)
        MPI_Abort(MPI_COMM_WORLD, 1);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    struct job to_self = {rank, 1}, to_other = {1 - rank, 2};
    pthread_create(&self_waker, NULL, send_later, &to_self);
    wait_for(rank, 1);
    pthread_create(&other_waker, NULL, send_later, &to_other);
    wait_for(1 - rank, 2);
    pthread_join(self_waker, NULL);
    pthread_join(other_waker, NULL);
    if (rank == 0)
        puts("both woken");
    MPI_Finalize();
    return 0;
}
