# standoff: title: a neighbourhood collective on an irregular graph, with a late rank that only some need
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: ghosts [1.5]
import time
import numpy as np
from mpi4py import MPI

# Who each rank's part of the mesh takes values from, and who it gives them to.
SOURCES = {0: [1], 1: [0], 2: [1, 3], 3: [2]}
DESTINATIONS = {0: [1], 1: [0, 2], 2: [3], 3: [2]}

comm = MPI.COMM_WORLD
mesh = comm.Create_dist_graph_adjacent(SOURCES[comm.rank], DESTINATIONS[comm.rank])
if comm.rank == 2:
    time.sleep(1.5)
ghosts = np.zeros(len(SOURCES[comm.rank]))
mesh.Neighbor_allgather(np.array([comm.rank + 0.5]), ghosts)
if comm.rank == 0:
    print("ghosts", ghosts.tolist(), flush=True)
