# standoff: title: MPICommExecutor: the workers wait, and the master polls, for tasks of uneven length
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: sum 55
import time
from mpi4py import MPI
from mpi4py.futures import MPICommExecutor


def simulate(seed):
    time.sleep(0.05 * seed)
    value = seed * seed
    return value


def main():
    with MPICommExecutor(MPI.COMM_WORLD, root=0) as executor:
        if executor is not None:
            print("sum", sum(executor.map(simulate, range(6))), flush=True)


if __name__ == "__main__":
    main()
