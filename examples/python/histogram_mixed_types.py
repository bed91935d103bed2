# standoff: title: one rank counts in integers, the others in floating-point numbers, early in a long row of allreduces
# standoff: ranks: 3
# standoff: expect: clean
# standoff: warns: collective-mismatch
# standoff: text: ranks 0 and 2 called MPI_Allreduce with MPI_SUM on
# standoff: text: rank 1 called MPI_Allreduce with MPI_SUM on
# standoff: cured: histogram_mixed_types_cured
import numpy as np
from mpi4py import MPI

comm = MPI.COMM_WORLD
events = np.arange(10) % 4 + 0.5

counts = np.zeros(4)
if comm.rank == 1:
    # No weights here: NumPy counts in integers.
    counts, _ = np.histogram(events, bins=4, range=(0, 4))
else:
    counts, _ = np.histogram(events, bins=4, range=(0, 4), weights=np.ones(10))
total = np.empty_like(counts)
comm.Allreduce(counts, total)  # @warn
for step in range(8):
    comm.barrier()
