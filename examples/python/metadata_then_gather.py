# standoff: title: ranks send a note to the writer, then all gather; the writer gathers first
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: 4 blocks, dtype float64
# standoff: cured: metadata_then_gather_cured
# standoff: check: potential-deadlock
import numpy as np
from mpi4py import MPI

comm = MPI.COMM_WORLD
block = np.full(8, float(comm.rank))
if comm.rank == comm.size - 1:
    comm.send(str(block.dtype), dest=0)  # @check 3
blocks = np.empty((comm.size, 8)) if comm.rank == 0 else None
comm.Gather(block, blocks, root=0)  # @check 0
if comm.rank == 0:
    dtype = comm.recv(source=comm.size - 1)
    print(f"{len(blocks)} blocks, dtype {dtype}")
