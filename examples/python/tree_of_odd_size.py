# standoff: title: a tree reduction that takes the number of ranks for a power of two: the last rank receives from one that does not exist
# standoff: ranks: 7
# standoff: expect: deadlock
# standoff: core: 1-5
# standoff: left: 6
# standoff: victims: 0
# standoff: cured: tree_of_odd_size_cured
# standoff: text: rank 6 raised Exception
import numpy as np
from mpi4py import MPI


def reduce_up(comm, part):
    """Pairs at distance 1, 2 and 4 add up towards rank 0."""
    other = np.empty_like(part)
    distance = 1
    while distance < comm.size:
        if comm.rank % (2 * distance):
            comm.Send(part, dest=comm.rank - distance, tag=distance)
            break
        comm.Recv(other, source=comm.rank + distance, tag=distance)  # @core 4
        part = part + other
        distance *= 2
    return part


comm = MPI.COMM_WORLD
total = reduce_up(comm, np.full(3, 1.0 + comm.rank))
comm.Barrier()  # @core 1-3, 5
if comm.rank == 0:
    print("total", *total, flush=True)
