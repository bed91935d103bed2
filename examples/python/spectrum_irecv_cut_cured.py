# standoff: title: the buffer has room for what the left neighbour has
# standoff: ranks: 4
# standoff: expect: clean
import numpy as np
from mpi4py import MPI


def exchange(comm, mine, room):
    """The left neighbour's spectrum."""
    left, right = (comm.rank - 1) % comm.size, (comm.rank + 1) % comm.size
    theirs = np.zeros(room)
    requests = [comm.Irecv(theirs, source=left), comm.Isend(mine, dest=right)]
    MPI.Request.Waitall(requests)
    return theirs


comm = MPI.COMM_WORLD
modes = [16, 24, 16, 16]
theirs = exchange(comm, np.ones(modes[comm.rank]), room=modes[comm.rank - 1])
power = comm.allreduce(float(theirs.sum()))
if comm.rank == 0:
    print("power", power, flush=True)
