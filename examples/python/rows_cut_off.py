# standoff: title: the last worker's block of rows is larger than its buffer: its receive raises, the master waits for its sum
# standoff: ranks: 4
# standoff: expect: deadlock
# standoff: core: 0
# standoff: left: 3
# standoff: victims: 1, 2
# standoff: cured: rows_cut_off_cured
# standoff: text: truncated
# standoff: text: rank 3 raised Exception
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
    total = sum(comm.recv(source=worker) for worker in range(1, comm.size))  # @core 0
    print("total", total, flush=True)
else:
    part = np.empty((counts[0], COLUMNS))
    comm.Recv(part, source=0, tag=7)
    comm.send(float(part.sum()), dest=0)
