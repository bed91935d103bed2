# standoff: title: blocks far above the eager limit go along a line of ranks, each send waiting for the one after it
# standoff: ranks: 6
# standoff: expect: clean
# standoff: stdout: last 5.0
import time
import numpy as np
from mpi4py import MPI

comm = MPI.COMM_WORLD
block = np.full(400_000, float(comm.rank))
left = comm.rank - 1 if comm.rank else MPI.PROC_NULL
right = comm.rank + 1 if comm.rank < comm.size - 1 else MPI.PROC_NULL
if right == MPI.PROC_NULL:
    time.sleep(1.5)
for _ in range(3):
    comm.Send(block, dest=right)
    comm.Recv(block, source=left)
comm.Barrier()
if comm.rank == comm.size - 1:
    print("last", float(comm.size - 1), flush=True)
