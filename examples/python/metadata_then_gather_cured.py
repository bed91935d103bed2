# standoff: title: the writer takes the note before it gathers
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: 4 blocks, dtype float64
# standoff: check: clean
import numpy as np
from mpi4py import MPI

comm = MPI.COMM_WORLD
block = np.full(8, float(comm.rank))
if comm.rank == comm.size - 1:
    comm.send(str(block.dtype), dest=0)
if comm.rank == 0:
    dtype = comm.recv(source=comm.size - 1)
blocks = np.empty((comm.size, 8)) if comm.rank == 0 else None
comm.Gather(block, blocks, root=0)
if comm.rank == 0:
    print(f"{len(blocks)} blocks, dtype {dtype}")
