"""Parallel tempering: replicas at neighbouring temperatures swap their states, pair by pair, whatever the size of a state."""
# standoff: title: replicas exchange states with standoff.comm
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: energies [0.0, 0.5, 1.0, 1.5]
# standoff: check: clean
import numpy as np
from mpi4py import MPI

from standoff.comm import Exchange, exchange

SITES = 200_000

comm = MPI.COMM_WORLD
state = np.full(SITES, (comm.size - 1 - comm.rank) * 0.5)
other = np.empty_like(state)

for sweep in range(4):
    # Even pairs and odd pairs take turns; who has no partner sits out.
    peer = comm.rank ^ 1 if sweep % 2 == 0 else ((comm.rank - 1) ^ 1) + 1
    if not 0 <= peer < comm.size:
        peer = MPI.PROC_NULL
    other[:] = state
    Exchange(comm, state, other, peer)
    theirs = exchange(comm, {"rank": comm.rank, "energy": float(state.mean())}, peer)
    if theirs is not None:
        assert theirs["energy"] == other[-1]
        # Hot states go up.
        if (other[0] < state[0]) == (comm.rank < peer):
            state[:] = other

energies = comm.gather(float(state.mean()), root=0)
if comm.rank == 0:
    print("energies", energies)
