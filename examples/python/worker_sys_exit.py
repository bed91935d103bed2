# standoff: title: a rank that finds no input calls sys.exit, the others go on to a collective
# standoff: ranks: 4
# standoff: expect: deadlock
# standoff: core: 0-1, 3
# standoff: left: 2
# standoff: cured: worker_sys_exit_cured
# standoff: text: allgather
# standoff: text: called sys.exit(0) at
import sys
from mpi4py import MPI


def read_part(rank):
    return [] if rank == 2 else [rank] * 3


def main():
    comm = MPI.COMM_WORLD
    part = read_part(comm.rank)
    if not part:
        sys.exit(0)
    sizes = comm.allgather(len(part))  # @core 0-1, 3
    print("sizes", sizes, flush=True)


main()
