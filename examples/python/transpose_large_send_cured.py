# standoff: title: cured: Sendrecv_replace instead of Send and Recv
# standoff: ranks: 2
# standoff: expect: clean
# standoff: stdout: transposed
from mpi4py import MPI

BLOCK = 4 * 1024 * 1024


def swap_block(comm, mine, partner):
    comm.Sendrecv_replace(mine, dest=partner, source=partner)
    return mine


def transpose(comm):
    upper = bytearray([comm.rank + 1]) * BLOCK
    upper = swap_block(comm, upper, 1 - comm.rank)
    assert upper[0] == upper[-1] == 2 - comm.rank


def main():
    comm = MPI.COMM_WORLD
    transpose(comm)
    if comm.rank == 0:
        print("transposed", flush=True)


main()
