# standoff: title: all ranks count in floating-point numbers
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: 30.0 events
import numpy as np
from mpi4py import MPI

comm = MPI.COMM_WORLD
events = np.arange(10) % 4 + 0.5

weights = None if comm.rank == 1 else np.ones(10)
counts, _ = np.histogram(events, bins=4, range=(0, 4), weights=weights)
counts = counts.astype(float)
total = np.empty_like(counts)
comm.Allreduce(counts, total)
for step in range(8):
    comm.barrier()
if comm.rank == 0:
    print(total.sum(), "events")
