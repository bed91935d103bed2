# standoff: title: one-way edges, all declared by one rank, with a late rank: the graph is a right one
# standoff: ranks: 4
# standoff: expect: clean
# standoff: mpi: mpich
# standoff: stdout: flow 15.0
import time
import numpy as np
from mpi4py import MPI

# A river network: (from, to). The rank that has read the map declares all of it.
RIVERS = [(0, 1), (0, 1), (1, 3), (2, 3), (3, 3)]

# (Open MPI 5.0.11 gets such a graph wrong: messages are truncated, with standoff or without.)
comm = MPI.COMM_WORLD
if comm.rank == 2:
    springs, degrees, mouths = [], [], []
    for spring in range(comm.size):
        below = [mouth for start, mouth in RIVERS if start == spring]
        springs.append(spring)
        degrees.append(len(below))
        mouths.extend(below)
    network = comm.Create_dist_graph(springs, degrees, mouths)
else:
    network = comm.Create_dist_graph([], [], [])
above, below, _ = network.Get_dist_neighbors_count()
flow = 1.0 + network.rank
for step in range(2):
    arriving = np.zeros(above)
    if network.rank == 0 and step == 1:
        time.sleep(0.7)
    request = network.Ineighbor_alltoall(np.full(below, flow), arriving)
    request.Wait()
    flow = 1.0 + arriving.sum()
    network.Neighbor_allgather(np.array([flow]), arriving)
if network.rank == 3:
    print("flow", flow, flush=True)
