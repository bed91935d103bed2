# standoff: title: the rank takes part with a zero when its step fails
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: last 15
from mpi4py import MPI

comm = MPI.COMM_WORLD


def step(number):
    if comm.rank == 1 and number == 2:
        return comm.allreduce(0)
    return comm.allreduce(number)


def main():
    for number in range(6):
        total = step(number)
    if comm.rank == 0:
        print("last", total, flush=True)


main()
