# standoff: title: checkpoints with MPI-IO, collective and with a late rank, between halo exchanges
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: restored True
import os
import tempfile
import time
import numpy as np
from mpi4py import MPI


class Checkpoint:
    def __init__(self, comm):
        self.comm = comm
        self.path = comm.bcast(tempfile.mktemp(prefix="checkpoint-"))

    def write(self, field):
        file = MPI.File.Open(self.comm, self.path, MPI.MODE_CREATE | MPI.MODE_WRONLY)
        file.Write_at_all(self.comm.rank * field.nbytes, field)
        file.Close()

    def read(self, like):
        field = np.empty_like(like)
        file = MPI.File.Open(self.comm, self.path, MPI.MODE_RDONLY | MPI.MODE_DELETE_ON_CLOSE)
        request = file.Iread_at(self.comm.rank * field.nbytes, field)
        request.Wait()
        file.Close()
        return field


comm = MPI.COMM_WORLD
field = np.arange(1000.0) + comm.rank
checkpoint = Checkpoint(comm)
for step in range(3):
    right, left = (comm.rank + 1) % comm.size, (comm.rank - 1) % comm.size
    comm.Sendrecv(field[-1:].copy(), dest=right, recvbuf=field[:1], source=left)
    if comm.rank == step:
        time.sleep(0.5)
    checkpoint.write(field)
same = bool((checkpoint.read(field) == field).all())
same = comm.allreduce(same, op=MPI.LAND)
if comm.rank == 0:
    print("restored", same, flush=True)
