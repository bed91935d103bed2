# standoff: title: the root makes a part for each worker and forgets its own: its scatter raises, the others wait in theirs
# standoff: ranks: 4
# standoff: expect: deadlock
# standoff: core: 1-3
# standoff: left: 0
# standoff: cured: scatter_one_part_short_cured
# standoff: text: which raised ValueError: expecting 4 items, got 3
# standoff: text: First mend what ended rank 0; the others only wait for it.
from mpi4py import MPI

comm = MPI.COMM_WORLD
parts = None
if comm.rank == 0:
    samples = list(range(12))
    workers = comm.size - 1
    parts = [samples[first::workers] for first in range(workers)]
mine = comm.scatter(parts, root=0)  # @core 1-3
total = comm.reduce(sum(mine), root=0)
if comm.rank == 0:
    print("total", total)
