// standoff: title: both main threads wait for messages that tasks of std::async send later
// standoff: ranks: 2
// standoff: expect: clean
// standoff: stdout: together 21
// standoff: needs: thread-multiple
#include <mpi.h>
#include <chrono>
#include <future>
#include <iostream>
#include <thread>

int main(int argc, char **argv)
{
    int level, rank, word = 0;

    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &level);
    if (level < MPI_THREAD_MULTIPLE)
        MPI_Abort(MPI_COMM_WORLD, 3);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    // Both main threads first wait for the other rank, whose answer comes from a task that takes its time.
    auto answer = std::async(std::launch::async, [rank] {
        std::this_thread::sleep_for(std::chrono::milliseconds(700 + 500 * rank));
        int mine = 10 + rank;
        MPI_Send(&mine, 1, MPI_INT, 1 - rank, 0, MPI_COMM_WORLD);
        return mine;
    });
    MPI_Recv(&word, 1, MPI_INT, 1 - rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    word += answer.get();
    if (rank == 0)
        std::cout << "together " << word << std::endl;
    MPI_Finalize();
    return 0;
}
