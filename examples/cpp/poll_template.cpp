// standoff: title: lambdas poll in a template until a late rank sends, after messages to oneself
// standoff: ranks: 4
// standoff: expect: clean
// standoff: stdout: words 3
#include <mpi.h>
#include <chrono>
#include <iostream>
#include <memory>
#include <vector>

using Clock = std::chrono::steady_clock;

// Calls `ready` until it says so, as progress engines do.
template <typename Ready> static long spin_until(Ready ready)
{
    long rounds = 0;
    while (!ready())
        ++rounds;
    return rounds;
}

// Requests that look after themselves.
struct FreeRequest {
    void operator()(MPI_Request *request) const
    {
        MPI_Wait(request, MPI_STATUS_IGNORE);
        delete request;
    }
};

int main(int argc, char **argv)
{
    int rank, ranks;
    long mine = 0, words = 0;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);

    // To oneself, twice, completed in the reverse order by destructors.
    {
        std::vector<std::unique_ptr<MPI_Request, FreeRequest>> requests;
        int in[2] = {0, 0}, out[2] = {rank, rank + 1};
        for (int i = 0; i < 2; ++i) {
            requests.emplace_back(new MPI_Request);
            MPI_Irecv(&in[i], 1, MPI_INT, rank, i, MPI_COMM_WORLD, requests.back().get());
        }
        for (int i = 1; i >= 0; --i)
            MPI_Send(&out[i], 1, MPI_INT, rank, i, MPI_COMM_WORLD);
    }

    const auto begin = Clock::now();
    if (rank == ranks - 1) {
        // Computes for a while, and wants nothing of MPI.
        spin_until([&] { return Clock::now() - begin > std::chrono::milliseconds(1500); });
        for (int to = 0; to < rank; ++to)
            MPI_Send(&mine, 1, MPI_LONG, to, 7, MPI_COMM_WORLD);
    } else {
        MPI_Status status;
        spin_until([&] {
            int there = 0;
            MPI_Iprobe(MPI_ANY_SOURCE, 7, MPI_COMM_WORLD, &there, &status);
            return there != 0;
        });
        MPI_Recv(&mine, 1, MPI_LONG, status.MPI_SOURCE, status.MPI_TAG, MPI_COMM_WORLD, &status);
        mine = 1;
    }
    // And with a request for a collective.
    MPI_Request request;
    MPI_Iallreduce(&mine, &words, 1, MPI_LONG, MPI_SUM, MPI_COMM_WORLD, &request);
    spin_until([&] {
        int done = 0;
        MPI_Test(&request, &done, MPI_STATUS_IGNORE);
        return done != 0;
    });
    if (rank == 0)
        std::cout << "words " << words << std::endl;
    MPI_Finalize();
    return 0;
}
