# standoff: title: all levels use the same tag
# standoff: ranks: 8
# standoff: expect: clean
# standoff: stdout: sum 36.0
import numpy as np
from mpi4py import MPI

LEVELS = {1: 1, 2: 1, 4: 1}


def reduce_up(comm, part):
    """Pairs at distance 1, 2 and 4 add up towards rank 0."""
    other = np.empty_like(part)
    distance = 1
    while distance < comm.size:
        if comm.rank % (2 * distance):
            comm.Ssend(part, dest=comm.rank - distance, tag=1)
            break
        comm.Recv(other, source=comm.rank + distance, tag=LEVELS[distance])
        part = part + other
        distance *= 2
    return part


comm = MPI.COMM_WORLD
total = reduce_up(comm, np.full(3, 1.0 + comm.rank))
comm.Barrier()
if comm.rank == 0:
    print("sum", total[0], flush=True)
