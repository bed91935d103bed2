"""An unstructured mesh in parts: each part has its own neighbours, and a border of another length with each of them."""
# standoff: title: borders of mesh parts with standoff.comm
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: every border fits
# standoff: check: clean
import numpy as np
from mpi4py import MPI

from standoff.comm import Halo, halo

# Which parts touch, and in how many nodes. Part 3 touches nobody.
BORDERS = {(0, 1): 150_000, (0, 2): 10, (1, 2): 3000}

comm = MPI.COMM_WORLD
mine = {}
for (a, b), nodes in BORDERS.items():
    if comm.rank in (a, b):
        mine[b if comm.rank == a else a] = nodes

names = halo(comm, {peer: [f"part {comm.rank}", nodes] for peer, nodes in mine.items()})
fits = all(names[peer] == [f"part {peer}", nodes] for peer, nodes in mine.items())

values = {peer: (np.full(nodes, float(comm.rank)), np.empty(nodes)) for peer, nodes in mine.items()}
for step in range(2):
    Halo(comm, values)
    for peer, (mean, theirs) in values.items():
        fits &= bool((theirs == (peer if step == 0 else 0.5 * (peer + comm.rank))).all())
        mean[:] = 0.5 * (mean + theirs)

if comm.allreduce(fits, op=MPI.LAND) and comm.rank == 0:
    print("every border fits")
