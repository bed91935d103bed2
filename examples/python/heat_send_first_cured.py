# standoff: title: the edges go in one direction after the other, with Sendrecv
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: heat 400.0
# standoff: check: clean
import numpy as np
from mpi4py import MPI

comm = MPI.COMM_WORLD
left, right = (comm.rank - 1) % comm.size, (comm.rank + 1) % comm.size
rod = np.full(12, 100.0 / 10)
for step in range(5):
    comm.Sendrecv(rod[1:2], dest=left, recvbuf=rod[-1:], source=right)
    comm.Sendrecv(rod[-2:-1], dest=right, recvbuf=rod[:1], source=left)
    rod[1:-1] += 0.1 * (rod[:-2] - 2 * rod[1:-1] + rod[2:])
total = comm.allreduce(float(rod[1:-1].sum()))
if comm.rank == 0:
    print("heat", round(total, 6))
