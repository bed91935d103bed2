/* A heartbeat: a POSIX timer has the C library make a thread when it expires, and that thread sends the message that
 * everybody waits for. No thread is there, or was started by the program, while both ranks wait. */
// standoff: title: a timer's thread sends
// standoff: ranks: 2
// standoff: expect: clean
// standoff: needs: thread-multiple
// standoff: stdout: both heartbeats
#include <mpi.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int rank;
static sem_t sent;

static void beat(union sigval value)
{
    int number = value.sival_int;
    MPI_Send(&number, 1, MPI_INT, 1 - rank, 0, MPI_COMM_WORLD);
    sem_post(&sent);
}

int main(int argc, char **argv)
{
    int level, got;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &level);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    sem_init(&sent, 0, 0);

    struct sigevent event;
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_THREAD;
    event.sigev_notify_function = beat;
    event.sigev_value.sival_int = 7;
    timer_t timer;
    timer_create(CLOCK_MONOTONIC, &event, &timer);
    struct itimerspec in_a_second = {.it_value = {1, 0}};
    timer_settime(timer, 0, &in_a_second, NULL);

    MPI_Recv(&got, 1, MPI_INT, 1 - rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    sem_wait(&sent);
    int all;
    MPI_Reduce(&got, &all, 1, MPI_INT, MPI_SUM, 0, MPI_COMM_WORLD);
    if (rank == 0)
        printf("%s\n", all == 14 ? "both heartbeats" : "one is missing");
    MPI_Finalize();
    return 0;
}
