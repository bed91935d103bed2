# standoff: title: a mesh partition whose lists of interfaces disagree: rank 1 expects values of rank 0, which has no such interface
# standoff: ranks: 4
# standoff: expect: deadlock
# standoff: core: 0, 1
# standoff: victims: 2, 3
# standoff: cured: ghost_exchange_one_sided_cured
# standoff: text: deadlock on this MPI
# standoff: text: rank 1 takes data from rank 0, which has no such edge to rank 1
import numpy as np
from mpi4py import MPI

# Pairs (owner, user): the user needs the owner's boundary value. Each rank reads the part of the mesh that it has.
INTERFACES = {
    0: [(1, 0), (3, 0), (0, 3)],
    1: [(0, 1), (1, 0), (1, 2), (2, 1)],
    2: [(1, 2), (2, 1), (2, 3), (3, 2)],
    3: [(2, 3), (3, 2), (3, 0), (0, 3)],
}

comm = MPI.COMM_WORLD
mine = INTERFACES[comm.rank]
owners = [owner for owner, user in mine if user == comm.rank]
users = [user for owner, user in mine if owner == comm.rank]
mesh = comm.Create_dist_graph_adjacent(owners, users)
ghosts = np.zeros(len(owners))
mesh.Neighbor_allgather(np.array([comm.rank + 0.5]), ghosts)  # @core 1
residual = np.zeros(1)
mesh.Allreduce(np.array([ghosts.sum()]), residual)  # @core 0
if comm.rank == 0:
    print("residual", residual[0], flush=True)
