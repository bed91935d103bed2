"""A collector waits for its sensors, but not for ever: of one that is late it asks for less."""
# standoff: title: a receive with a deadline from standoff.comm
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: rank 0 got no message from rank 2 (tag 7) within 0.05 s
# standoff: stdout: rank 1: 300000 samples, rank 2: 10 samples
# standoff: check: clean
# standoff: check-scope: bounded
#
# How often it looks depends on time, so not everything is looked at.
import numpy as np
from mpi4py import MPI

from standoff.comm import Overdue, Recv, recv

SAMPLES, PLEASE = 7, 8

comm = MPI.COMM_WORLD
if comm.rank == 0:
    lengths = {}
    lengths[1] = recv(comm, source=1, tag=SAMPLES, deadline=60)
    data = np.empty(lengths[1])
    Recv(comm, data, source=1, tag=SAMPLES, deadline=60)
    assert (data == 1).all()
    try:
        lengths[2] = recv(comm, source=2, tag=SAMPLES, deadline=0.05)
    except Overdue as late:
        print(late, flush=True)
        comm.send("just a few", dest=2, tag=PLEASE)
        lengths[2] = recv(comm, source=2, tag=SAMPLES, deadline=60)
    print(", ".join(f"rank {rank}: {n} samples" for rank, n in lengths.items()))
elif comm.rank == 1:
    data = np.ones(300_000)
    comm.send(data.size, dest=0, tag=SAMPLES)
    comm.Send(data, dest=0, tag=SAMPLES)
else:
    # Its archive takes long to read, so it only answers when asked.
    comm.recv(source=0, tag=PLEASE)
    comm.send(10, dest=0, tag=SAMPLES)
