// standoff: title: a destructor waits for a receive, and the send comes after its scope
// standoff: ranks: 4
// standoff: expect: deadlock
// standoff: core: 0-3
// standoff: cured: destructor_waits_cured
// standoff: text: ~Incoming
#include <mpi.h>
#include <iostream>
#include <vector>

// A receive that is complete at the latest when this goes out of scope.
class Incoming {
public:
    Incoming(std::vector<double> &into, int from)
    {
        MPI_Irecv(into.data(), static_cast<int>(into.size()), MPI_DOUBLE, from, 0, MPI_COMM_WORLD, &request);
    }
    Incoming(const Incoming &) = delete;
    ~Incoming()
    {
        MPI_Wait(&request, MPI_STATUS_IGNORE);  // @core 0-3
    }

private:
    MPI_Request request = MPI_REQUEST_NULL;
};

int main(int argc, char **argv)
{
    int rank, ranks;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    std::vector<double> mine(8, rank), halo(8, -1);
    const int left = (rank + ranks - 1) % ranks, right = (rank + 1) % ranks;
    {
        Incoming from_left(halo, left);
    }
    MPI_Send(mine.data(), static_cast<int>(mine.size()), MPI_DOUBLE, right, 0, MPI_COMM_WORLD);
    if (rank == 0)
        std::cout << "halo " << halo[0] << std::endl;
    MPI_Finalize();
    return 0;
}
