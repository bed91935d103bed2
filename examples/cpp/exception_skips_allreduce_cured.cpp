// standoff: title: exception_skips_allreduce cured: the rank takes part with nothing
// standoff: ranks: 4
// standoff: expect: clean
// standoff: stdout: mean 1
#include <mpi.h>
#include <iostream>
#include <stdexcept>
#include <string>

static double load(int rank)
{
    if (rank == 2)
        throw std::runtime_error("no input file for rank " + std::to_string(rank));
    return rank;
}

static double mean(double mine)
{
    int ranks;
    double sum = 0;

    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    MPI_Allreduce(&mine, &sum, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    return sum / ranks;
}

int main(int argc, char **argv)
{
    int rank;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    double mine = 0;
    try {
        mine = load(rank);
    } catch (const std::exception &problem) {
        std::cerr << problem.what() << std::endl;
    }
    double all = mean(mine);
    if (rank == 0)
        std::cout << "mean " << all << std::endl;
    MPI_Finalize();
    return 0;
}
