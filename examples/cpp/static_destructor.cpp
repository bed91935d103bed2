// standoff: title: a static object sends what others wait for from its destructor, after main
// standoff: ranks: 3
// standoff: expect: clean
// standoff: stdout: got 42
#include <mpi.h>
#include <chrono>
#include <cstdio>
#include <initializer_list>
#include <thread>

// MPI for as long as the program lives; its last word goes out after main has returned.
class World {
public:
    World()
    {
        MPI_Init(nullptr, nullptr);
        MPI_Comm_rank(MPI_COMM_WORLD, &rank);
        MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    }
    ~World()
    {
        int word = 42;
        if (rank == 1) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1500));
            for (int other : {0, 2})
                MPI_Send(&word, 1, MPI_INT, other, 0, comm);
        }
        MPI_Comm_free(&comm);
        MPI_Finalize();
    }

    int rank;
    MPI_Comm comm;
};

static World world;

int main()
{
    int word = 0;

    if (world.rank == 1)
        return 0;
    MPI_Recv(&word, 1, MPI_INT, 1, 0, world.comm, MPI_STATUS_IGNORE);
    if (world.rank == 0)
        std::printf("got %d\n", word);
    return 0;
}
