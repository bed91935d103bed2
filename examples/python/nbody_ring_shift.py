"""Forces of all on all: the bodies of each rank travel round the ring."""
# standoff: title: bodies go round a ring with standoff.comm
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: 3 groups, all met
# standoff: check: clean
import numpy as np
from mpi4py import MPI

from standoff.comm import Shift, shift

BODIES = 50_000

comm = MPI.COMM_WORLD
places = np.linspace(0, 1, BODIES) + comm.rank
mass = np.full(BODIES, 1.0 + comm.rank)
force = np.zeros(BODIES)
visitors, weights, owner = places.copy(), mass.copy(), comm.rank
met = []
for _ in range(comm.size):
    met.append(owner)
    force += weights.sum() * (visitors.mean() - places)
    arriving, heavier = np.empty_like(visitors), np.empty_like(weights)
    Shift(comm, visitors, arriving)
    Shift(comm, weights, heavier)
    owner = shift(comm, owner)
    visitors, weights = arriving, heavier

# Everybody is home again.
assert owner == comm.rank and (visitors == places).all() and (weights == mass).all()
everybody = comm.allreduce(sorted(met) == list(range(comm.size)), op=MPI.LAND)
if comm.rank == 0:
    print(comm.size, "groups,", "all met" if everybody else "some missed")
