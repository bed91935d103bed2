# standoff: title: the root makes a part for each rank, itself as well
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: total 66
from mpi4py import MPI

comm = MPI.COMM_WORLD
parts = None
if comm.rank == 0:
    samples = list(range(12))
    workers = comm.size
    parts = [samples[first::workers] for first in range(workers)]
mine = comm.scatter(parts, root=0)
total = comm.reduce(sum(mine), root=0)
if comm.rank == 0:
    print("total", total)
