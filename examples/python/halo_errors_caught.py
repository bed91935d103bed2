# standoff: title: sends and receives that fail in a set-up phase are caught and done again, with a slow partner
# standoff: ranks: 2
# standoff: expect: clean
# standoff: stdout: passed
import time

import numpy as np
from mpi4py import MPI


def attempt(call, *args, **kwargs):
    """Whether it went well."""
    try:
        call(*args, **kwargs)
    except MPI.Exception:
        return False
    return True


comm = MPI.COMM_WORLD
other = 1 - comm.rank
for step in range(2):
    assert not attempt(comm.Isend, np.ones(3), dest=other, tag=-7)
    assert not attempt(comm.Recv, np.empty(3), source=comm.size, tag=1)
    # The other's message is longer than the room for it, and is lost.
    assert not attempt(
        comm.Sendrecv, np.ones(9), dest=other, sendtag=step, recvbuf=np.empty(2), source=other, recvtag=step
    )
    if comm.rank == 1:
        time.sleep(0.7)
    halo = np.empty(3)
    comm.Sendrecv(np.ones(3), dest=other, sendtag=10 + step, recvbuf=halo, source=other, recvtag=10 + step)
comm.Barrier()
if comm.rank == 0:
    print("passed", flush=True)
