# standoff: title: a mesh partition with interfaces that both sides know, two of them between the same ranks
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: residual 16.5
import numpy as np
from mpi4py import MPI

# Pairs (owner, user): the user needs the owner's boundary value. Each rank reads the part of the mesh that it has.
INTERFACES = {
    0: [(0, 1), (1, 0), (0, 1), (3, 0), (0, 3)],
    1: [(0, 1), (0, 1), (1, 0), (1, 2), (2, 1)],
    2: [(1, 2), (2, 1), (2, 3), (3, 2)],
    3: [(2, 3), (3, 2), (3, 0), (0, 3)],
}

comm = MPI.COMM_WORLD
mine = INTERFACES[comm.rank]
owners = [owner for owner, user in mine if user == comm.rank]
users = [user for owner, user in mine if owner == comm.rank]
mesh = comm.Create_dist_graph_adjacent(owners, users)
ghosts = np.zeros(len(owners))
mesh.Neighbor_allgather(np.array([comm.rank + 0.5]), ghosts)
residual = np.zeros(1)
mesh.Allreduce(np.array([ghosts.sum()]), residual)
if comm.rank == 0:
    print("residual", residual[0], flush=True)
