# standoff: title: each worker receives into a buffer of the size that it is sent
# standoff: ranks: 4
# standoff: expect: clean
import numpy as np
from mpi4py import MPI

COLUMNS = 5


def blocks(rows, workers):
    """Rows for each worker; what does not divide evenly goes to the last."""
    each = rows // workers
    return [each] * (workers - 1) + [rows - each * (workers - 1)]


comm = MPI.COMM_WORLD
counts = blocks(20, comm.size - 1)
if comm.rank == 0:
    for worker, rows in enumerate(counts, start=1):
        comm.Send(np.ones((rows, COLUMNS)), dest=worker, tag=7)
    total = sum(comm.recv(source=worker) for worker in range(1, comm.size))
    print("total", total, flush=True)
else:
    part = np.empty((counts[comm.rank - 1], COLUMNS))
    comm.Recv(part, source=0, tag=7)
    comm.send(float(part.sum()), dest=0)
