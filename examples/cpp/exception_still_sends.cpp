// standoff: title: an exception on its way out of a function runs a destructor that sends what another rank waits for
// standoff: ranks: 5
// standoff: expect: clean
// standoff: stdout: sum -1
#include <mpi.h>
#include <chrono>
#include <iostream>
#include <stdexcept>
#include <thread>
#include <vector>

// While an exception passes by, the partner is told that there is nothing, slowly.
struct Reply {
    int to;
    bool sent = false;
    void send(int word)
    {
        MPI_Send(&word, 1, MPI_INT, to, 0, MPI_COMM_WORLD);
        sent = true;
    }
    ~Reply()
    {
        if (sent)
            return;
        std::this_thread::sleep_for(std::chrono::seconds(1));
        send(-1);
    }
};

static void answer(int rank)
{
    Reply reply{0};
    std::vector<int> table(rank);
    reply.send(table.at(rank == 3 ? 3 : 0));
}

int main(int argc, char **argv)
{
    int rank, ranks, sum = 0;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    if (rank == 0) {
        for (int from = 1; from < ranks; ++from) {
            int word;
            MPI_Recv(&word, 1, MPI_INT, from, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            sum += word;
        }
        std::cout << "sum " << sum << std::endl;
    } else {
        try {
            answer(rank);
        } catch (const std::out_of_range &) {
            std::this_thread::sleep_for(std::chrono::seconds(1));
        }
    }
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
