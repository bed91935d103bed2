# standoff: title: they are sent along the columns, too
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: norm 32.0
import numpy as np
from mpi4py import MPI


class Grid:
    """Two rows and two columns of ranks."""

    def __init__(self, comm):
        self.world = comm
        self.row = comm.Split(comm.rank // 2, comm.rank)
        self.column = comm.Split(comm.rank % 2, comm.rank)

    def pivot_to_neighbour(self, pivot):
        if self.column.rank == 0:
            self.column.Send(pivot, dest=1, tag=7)
        else:
            self.column.Recv(pivot, source=0, tag=7)

    def finish(self, pivot):
        total = np.zeros_like(pivot)
        self.world.Allreduce(pivot, total)
        return total.sum()


grid = Grid(MPI.COMM_WORLD)
pivot = np.full(8, float(grid.column.rank == 0))
grid.pivot_to_neighbour(pivot)
norm = grid.finish(pivot)
if MPI.COMM_WORLD.rank == 0:
    print("norm", norm, flush=True)
