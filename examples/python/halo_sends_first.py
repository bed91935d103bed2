"""Heat in a ring of strips: every rank sends both its borders before it receives any.

As long as the library buffers a border this works. These are 32 kB each.
"""
# standoff: title: halo exchange, all send first
# standoff: ranks: 4
# standoff: expect: deadlock
# standoff: core: 0-3
# standoff: victims: none
# standoff: cured: halo_sends_first_cured.py
# standoff: text: each send before they receive
import numpy as np
from mpi4py import MPI

ROWS, STEPS = 4000, 50

comm = MPI.COMM_WORLD
left, right = (comm.rank - 1) % comm.size, (comm.rank + 1) % comm.size
u = np.full((ROWS, 1002), float(comm.rank))
border = np.empty(ROWS)


def exchange(u):
    to_right, to_left = np.ascontiguousarray(u[:, -2]), np.ascontiguousarray(u[:, 1])
    comm.Send(to_right, dest=right, tag=0)  # @core 0-3
    comm.Send(to_left, dest=left, tag=1)
    comm.Recv(border, source=left, tag=0)
    u[:, 0] = border
    comm.Recv(border, source=right, tag=1)
    u[:, -1] = border


for step in range(STEPS):
    exchange(u)
    u[:, 1:-1] = (u[:, :-2] + u[:, 2:]) / 2

total = comm.reduce(float(u[:, 1:-1].sum()), root=0)
if comm.rank == 0:
    print(f"heat {total:.6e}")
