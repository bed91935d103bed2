# standoff: title: a tree reduction whose upper level receives with tag 11 what is sent with tag 1
# standoff: ranks: 8
# standoff: expect: deadlock
# standoff: core: 0, 4
# standoff: victims: 1-3, 5-7
# standoff: cured: tree_tag_typo_cured
# standoff: text: tag 11
import numpy as np
from mpi4py import MPI

LEVELS = {1: 1, 2: 1, 4: 11}


def reduce_up(comm, part):
    """Pairs at distance 1, 2 and 4 add up towards rank 0."""
    other = np.empty_like(part)
    distance = 1
    while distance < comm.size:
        if comm.rank % (2 * distance):
            comm.Ssend(part, dest=comm.rank - distance, tag=1)  # @core 4
            break
        comm.Recv(other, source=comm.rank + distance, tag=LEVELS[distance])  # @core 0
        part = part + other
        distance *= 2
    return part


comm = MPI.COMM_WORLD
total = reduce_up(comm, np.full(3, 1.0 + comm.rank))
comm.Barrier()
if comm.rank == 0:
    print("sum", total[0], flush=True)
