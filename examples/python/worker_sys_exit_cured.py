# standoff: title: cured: the ranks agree before they leave
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: no input, all leave
import sys
from mpi4py import MPI


def read_part(rank):
    return [] if rank == 2 else [rank] * 3


def main():
    comm = MPI.COMM_WORLD
    part = read_part(comm.rank)
    sizes = comm.allgather(len(part))
    if min(sizes) == 0:
        if comm.rank == 0:
            print("no input, all leave", flush=True)
        sys.exit(0)
    print("sizes", sizes, flush=True)


main()
