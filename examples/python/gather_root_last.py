# standoff: title: one rank believes that the last rank, not the first, gathers the histories
# standoff: ranks: 4
# standoff: expect: deadlock
# standoff: core: 0-3
# standoff: cured: gather_root_last_cured
# standoff: text: root
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
        self.comm.Gather(self.steps, all_steps, root=self.writer)  # @core 0, 2, 3
        return all_steps


def writer_of(comm):
    # "the rank with most memory", from a table that was not updated everywhere
    return comm.size - 1 if comm.rank == 3 else 0


comm = MPI.COMM_WORLD
rows = History(comm, writer_of(comm)).collect()
comm.Barrier()  # @core 1
if rows is not None and comm.rank == 0:
    print("rows", len(rows), flush=True)
