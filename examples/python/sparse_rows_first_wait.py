"""Rows of a sparse matrix go round a ring: their values in one message, their columns in another.

Every rank waits for the values to be gone, as it wants the array back, before it receives any.
"""
# standoff: title: two sends to one neighbour, the first is waited for
# standoff: ranks: 3
# standoff: expect: deadlock
# standoff: core: 0-2
# standoff: victims: none
# standoff: cured: sparse_rows_first_wait_cured.py
import numpy as np
from mpi4py import MPI

comm = MPI.COMM_WORLD
left, right = (comm.rank - 1) % comm.size, (comm.rank + 1) % comm.size
values = np.full(40_000, comm.rank + 0.5)
columns = np.arange(40_000, dtype="i4")
total = values.sum()

for _ in range(comm.size - 1):
    requests = [comm.Isend(values, right, tag=1), comm.Isend(columns, right, tag=2)]
    requests[0].Wait()  # @core 0-2
    comm.Recv(values, left, tag=1)
    requests[1].Wait()
    comm.Recv(columns, left, tag=2)
    total += values.sum()

if comm.rank == 0:
    print(f"sum {total:.1f}", flush=True)
