# standoff: title: the receive that was posted ahead is always used first
# standoff: ranks: 2
# standoff: expect: clean
# standoff: stdout: last block 3
import numpy as np
from mpi4py import MPI

BLOCKS = 4


class Reader:
    """Receives blocks, and posts the receive of the next while one is worked on."""

    def __init__(self, comm):
        self.comm = comm
        self.ahead = None
        self.buffer = np.empty(256)

    def prefetch(self):
        self.ahead = self.comm.Irecv(self.buffer, source=0, tag=1)

    def block(self, number):
        if self.ahead is not None:
            self.ahead.Wait()
            self.ahead = None
            return self.buffer.copy()
        block = np.empty(256)
        self.comm.Recv(block, source=0, tag=1)
        if number < BLOCKS - 1:
            self.prefetch()
        else:
            self.ahead = None
        return block


comm = MPI.COMM_WORLD
if comm.rank == 0:
    for number in range(BLOCKS):
        comm.Send(np.full(256, number, dtype="d"), dest=1, tag=1)
else:
    reader = Reader(comm)
    reader.prefetch()
    last = [reader.block(number) for number in range(BLOCKS)][-1]
    print("last block", int(last[0]), flush=True)
