# standoff: title: a rank has a pool of processes compute, the others wait for it
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: total 140
import multiprocessing
import time


def square(x):
    time.sleep(0.2)
    return x * x


def main():
    from mpi4py import MPI  # not in the processes of the pool

    comm = MPI.COMM_WORLD
    squares = None
    if comm.rank == 1:
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            squares = pool.map(square, range(8))
    squares = comm.bcast(squares, root=1)
    if comm.rank == 2:
        print("total", sum(squares), flush=True)


if __name__ == "__main__":
    main()
