# standoff: title: persistent requests on a Cartesian grid with open ends, and neighbourhood collectives in between
# standoff: ranks: 6
# standoff: expect: clean
# standoff: stdout: edge sum 36.0
import time
import numpy as np
from mpi4py import MPI

world = MPI.COMM_WORLD
grid = world.Create_cart([3, 2], periods=[False, True])
halo = {(axis, step): np.zeros(2) for axis in (0, 1) for step in (-1, 1)}
mine = np.full(2, 1.0 + grid.rank)
requests = []
for (axis, step), buffer in halo.items():
    source, dest = grid.Shift(axis, step)
    requests.append(grid.Recv_init(buffer, source=source, tag=2 * axis + (step > 0)))
    requests.append(grid.Send_init(mine, dest=dest, tag=2 * axis + (step > 0)))
for step in range(10):
    MPI.Prequest.Startall(requests)
    if step == grid.rank:
        time.sleep(0.15)
    MPI.Request.Waitall(requests)
    around = np.zeros(4)
    grid.Neighbor_allgather(mine[:1], around)
column = grid.Sub([True, False])
edge = column.allreduce(around.sum())
if grid.rank == 0:
    print("edge sum", edge, flush=True)
