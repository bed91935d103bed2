// standoff: title: farm_more_workers cured: it awaits as many results as it handed out tasks
// standoff: ranks: 9
// standoff: expect: clean
// standoff: stdout: sum 55
#include <mpi.h>
#include <deque>
#include <iostream>
#include <vector>

// Hands out tasks and collects results, in any order.
class Master {
public:
    Master(int workers, int count) : workers(workers)
    {
        for (int task = 1; task <= count; ++task)
            tasks.push_back(task);
    }

    long run()
    {
        long sum = 0;
        const size_t count = tasks.size();
        for (int worker = 1; worker <= workers; ++worker)
            next(worker);
        for (size_t done = 0; done < count; ++done)
            next(collect(sum));
        for (int worker = 1; worker <= workers; ++worker)
            give(worker, 0);
        return sum;
    }

private:
    void give(int worker, int task)
    {
        MPI_Send(&task, 1, MPI_INT, worker, 0, MPI_COMM_WORLD);
    }
    void next(int worker)
    {
        if (tasks.empty())
            return;
        give(worker, tasks.front());
        tasks.pop_front();
    }
    int collect(long &sum)
    {
        int result;
        MPI_Status status;
        MPI_Recv(&result, 1, MPI_INT, MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, &status);
        sum += result;
        return status.MPI_SOURCE;
    }

    int workers;
    std::deque<int> tasks;
};

static void work()
{
    for (;;) {
        int task, result;
        MPI_Recv(&task, 1, MPI_INT, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        if (task == 0)
            return;
        result = task * task;
        MPI_Send(&result, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);
    }
}

int main(int argc, char **argv)
{
    int rank, ranks;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    if (rank == 0)
        std::cout << "sum " << Master(ranks - 1, 5).run() << std::endl;
    else
        work();
    MPI_Finalize();
    return 0;
}
