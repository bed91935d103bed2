"""A matrix that is spread by rows is transposed, with one pair of ranks at a time, as all blocks at once would not fit."""
# standoff: title: a transposition pair by pair with standoff.comm
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: transposed
# standoff: check: clean
import numpy as np
from mpi4py import MPI

from standoff.comm import Pairwise, pairwise

BLOCK = 200

comm = MPI.COMM_WORLD
rows = np.arange(BLOCK * comm.rank, BLOCK * (comm.rank + 1), dtype=float)
part = rows[:, None] * 1e4 + np.arange(BLOCK * comm.size)

others = range(comm.size)
blocks = {
    peer: (part[:, BLOCK * peer : BLOCK * (peer + 1)].T.copy(), np.empty((BLOCK, BLOCK)))
    for peer in others
}
Pairwise(comm, blocks)
transposed = np.concatenate([blocks[peer][1] for peer in others], axis=1)

# The same with whatever can be pickled: who owns which rows.
owned = pairwise(comm, {peer: (float(rows[0]), float(rows[-1])) for peer in others})

right = np.array_equal(transposed, np.arange(BLOCK * comm.size) * 1e4 + rows[:, None])
right &= owned == {p: (float(BLOCK * p), float(BLOCK * (p + 1) - 1)) for p in others}
if comm.allreduce(right, op=MPI.LAND) and comm.rank == 0:
    print("transposed")
