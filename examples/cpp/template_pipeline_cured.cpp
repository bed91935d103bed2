// standoff: title: template_pipeline cured: a stage waits for the credit of the item that it has passed on
// standoff: ranks: 5
// standoff: expect: clean
// standoff: stdout: total 27.5
#include <mpi.h>
#include <functional>
#include <iostream>
#include <numeric>
#include <vector>

template <typename T> MPI_Datatype type_of();
template <> MPI_Datatype type_of<int>() { return MPI_INT; }
template <> MPI_Datatype type_of<double>() { return MPI_DOUBLE; }

// A stage of a pipeline: items in from the rank before, out to the rank after, and a credit back for each item.
template <typename In, typename Out> class Stage {
public:
    Stage(int before, int after) : before(before), after(after) {}

    void run(int items, const std::function<Out(In)> &work)
    {
        for (int i = 0; i < items; ++i) {
            Out done = work(take());
            pass(done);
            give_credit();
            wait_for_credit();
        }
    }

private:
    In take()
    {
        In item{};
        if (before != MPI_PROC_NULL)
            MPI_Recv(&item, 1, type_of<In>(), before, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        return item;
    }
    void pass(Out item)
    {
        MPI_Ssend(&item, 1, type_of<Out>(), after, 1, MPI_COMM_WORLD);
    }
    void wait_for_credit()
    {
        char credit;
        MPI_Recv(&credit, 1, MPI_CHAR, after, 2, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
    void give_credit()
    {
        char credit = 0;
        MPI_Send(&credit, 1, MPI_CHAR, before, 2, MPI_COMM_WORLD);
    }

    int before, after;
};

int main(int argc, char **argv)
{
    int rank, ranks;
    double total = 0;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    const int before = rank == 0 ? MPI_PROC_NULL : rank - 1;
    const int after = rank == ranks - 1 ? MPI_PROC_NULL : rank + 1;
    if (rank == 0) {
        int next = 0;
        Stage<int, int>(before, after).run(10, [&](int) { return ++next; });
    } else if (rank == 1)
        Stage<int, double>(before, after).run(10, [](int n) { return 0.5 * n; });
    else
        Stage<double, double>(before, after).run(10, [&](double x) { return total += x, x; });
    if (rank == ranks - 1)
        std::cout << "total " << total << std::endl;
    MPI_Finalize();
    return 0;
}
