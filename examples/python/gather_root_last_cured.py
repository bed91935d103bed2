# standoff: title: all have the same table
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: rows 4
import numpy as np
from mpi4py import MPI


class History:
    def __init__(self, comm, writer):
        self.comm, self.writer = comm, writer
        self.steps = np.arange(4, dtype="d") + comm.rank

    def collect(self):
        """All histories, at the writer."""
        all_steps = None
        if self.comm.rank == self.writer:
            all_steps = np.empty((self.comm.size, 4))
        self.comm.Gather(self.steps, all_steps, root=self.writer)
        return all_steps


def writer_of(comm):
    # "the rank with most memory"
    return comm.bcast(0)


comm = MPI.COMM_WORLD
rows = History(comm, writer_of(comm)).collect()
comm.Barrier()
if rows is not None and comm.rank == 0:
    print("rows", len(rows), flush=True)
