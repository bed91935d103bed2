# standoff: title: comm.reduce is not called by one rank
# standoff: ranks: 4
# standoff: expect: deadlock
# standoff: core: 0-2
# standoff: left: 3
# standoff: cured: reduce_first_use_cured
# standoff: text: reduce
#
# The first comm.reduce of mpi4py makes a private duplicate of the communicator, so
# all wait for rank 3, not only the root.
from mpi4py import MPI


def total(comm, mine):
    return comm.reduce(mine, op=MPI.SUM, root=0)  # @core 0-2


def main():
    comm = MPI.COMM_WORLD
    samples = comm.rank if comm.rank < 3 else 0
    if comm.rank == 3:
        return
    result = total(comm, samples)
    if comm.rank == 0:
        print("total", result, flush=True)


main()
