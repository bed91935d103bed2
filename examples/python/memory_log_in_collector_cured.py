# standoff: title: a log of memory that counts in the garbage collector and sums over all ranks at the end of a step
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: cells 32800
# standoff: stdout: collected on ranks [1]
import gc
import numpy as np
from mpi4py import MPI


class MemoryLog:
    def __init__(self, comm):
        self.comm = comm.Dup()
        self.runs = 0

    def __call__(self, phase, info):
        if phase == "stop":
            self.runs += 1

    def all(self):
        return self.comm.gather(self.runs, root=0)


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
    comm.Allreduce(np.array([float(len(cells))]), count)
    gc.callbacks.remove(log)
    runs = log.all()
    if comm.rank == 0:
        print("cells", int(count[0]), flush=True)
        print("collected on ranks", [r for r, n in enumerate(runs) if n > 0], flush=True)


main()
