# standoff: title: a spectrum grew, a preposted buffer did not: the wait raises on one rank, the others are in the reduction
# standoff: ranks: 4
# standoff: expect: deadlock
# standoff: core: 0-1, 3
# standoff: left: 2
# standoff: cured: spectrum_irecv_cut_cured
# standoff: text: rank 2
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
theirs = exchange(comm, np.ones(modes[comm.rank]), room=16)
power = comm.allreduce(float(theirs.sum()))  # @core 0-1, 3
if comm.rank == 0:
    print("power", power, flush=True)
