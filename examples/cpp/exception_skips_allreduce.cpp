// standoff: title: a rank throws, catches and finishes; the others wait for it in a reduction
// standoff: ranks: 4
// standoff: expect: deadlock
// standoff: core: 0-1, 3
// standoff: left: 2
// standoff: cured: exception_skips_allreduce_cured
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
    MPI_Allreduce(&mine, &sum, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);  // @core 0-1, 3
    return sum / ranks;
}

int main(int argc, char **argv)
{
    int rank;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    try {
        double all = mean(load(rank));
        if (rank == 0)
            std::cout << "mean " << all << std::endl;
    } catch (const std::exception &problem) {
        std::cerr << problem.what() << std::endl;
    }
    MPI_Finalize();
    return 0;
}
