# standoff: title: a tree reduction in which a rank without a partner moves up alone
# standoff: ranks: 7
# standoff: expect: clean
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
        if comm.rank + distance < comm.size:
            comm.Recv(other, source=comm.rank + distance, tag=distance)
            part = part + other
        distance *= 2
    return part


comm = MPI.COMM_WORLD
total = reduce_up(comm, np.full(3, 1.0 + comm.rank))
comm.Barrier()
if comm.rank == 0:
    print("total", *total, flush=True)
