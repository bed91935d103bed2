"""Heat in a ring of strips: each border is sent while the one from the other side is received."""
# standoff: title: halo exchange, sendrecv
# standoff: ranks: 4
# standoff: expect: clean
import numpy as np
from mpi4py import MPI

ROWS, STEPS = 4000, 50

comm = MPI.COMM_WORLD
left, right = (comm.rank - 1) % comm.size, (comm.rank + 1) % comm.size
u = np.full((ROWS, 1002), float(comm.rank))
border = np.empty(ROWS)


def exchange(u):
    to_right, to_left = np.ascontiguousarray(u[:, -2]), np.ascontiguousarray(u[:, 1])
    comm.Sendrecv(to_right, dest=right, sendtag=0, recvbuf=border, source=left, recvtag=0)
    u[:, 0] = border
    comm.Sendrecv(to_left, dest=left, sendtag=1, recvbuf=border, source=right, recvtag=1)
    u[:, -1] = border


for step in range(STEPS):
    exchange(u)
    u[:, 1:-1] = (u[:, :-2] + u[:, 2:]) / 2

total = comm.reduce(float(u[:, 1:-1].sum()), root=0)
if comm.rank == 0:
    print(f"heat {total:.6e}")
