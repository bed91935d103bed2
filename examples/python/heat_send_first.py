# standoff: title: a heat equation on a closed rod whose ranks all send their edges before they receive
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: heat 400.0
# standoff: cured: heat_send_first_cured
# standoff: check: potential-deadlock
# standoff: check-text: standard send
#
# Two numbers fit every library's buffers: it passes. With a wider stencil, or
# on another MPI, every rank waits in its first Send.
import numpy as np
from mpi4py import MPI

comm = MPI.COMM_WORLD
left, right = (comm.rank - 1) % comm.size, (comm.rank + 1) % comm.size
rod = np.full(12, 100.0 / 10)
for step in range(5):
    comm.Send(rod[1:2], dest=left)  # @check 0-3
    comm.Send(rod[-2:-1], dest=right)
    comm.Recv(rod[-1:], source=right)
    comm.Recv(rod[:1], source=left)
    rod[1:-1] += 0.1 * (rod[:-2] - 2 * rod[1:-1] + rod[2:])
total = comm.allreduce(float(rod[1:-1].sum()))
if comm.rank == 0:
    print("heat", round(total, 6))
