# standoff: title: a log of memory that sums over all ranks, run by the garbage collector, which runs where one rank allocates more
# standoff: ranks: 3
# standoff: expect: deadlock
# standoff: core: 0-2
# standoff: cured: memory_log_in_collector_cured
# standoff: text: from refine
import gc
import numpy as np
from mpi4py import MPI


class MemoryLog:
    def __init__(self, comm):
        self.comm = comm.Dup()
        self.total = np.zeros(1)

    def __call__(self, phase, info):
        if phase == "stop":
            self.comm.Allreduce(np.ones(1), self.total)  # @core 1


def refine(cells, levels):
    for _ in range(levels):
        cells = [[cell, half] for cell in cells for half in (0, 1)]
    return cells


def main():
    comm = MPI.COMM_WORLD
    log = MemoryLog(comm)
    gc.collect()
    gc.set_threshold(20000)
    gc.callbacks.append(log)
    # The shock is on rank 1: there the mesh is finer.
    cells = refine([[comm.rank]], 15 if comm.rank == 1 else 4)
    count = np.zeros(1)
    comm.Allreduce(np.array([float(len(cells))]), count)  # @core 0, 2
    gc.callbacks.remove(log)
    if comm.rank == 0:
        print("cells", int(count[0]), flush=True)


main()
