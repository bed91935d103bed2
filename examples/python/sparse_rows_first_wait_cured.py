"""Rows of a sparse matrix go round a ring: their values in one message, their columns in another.

Every rank receives into other arrays, and waits for its sends afterwards.
"""
# standoff: title: two sends to one neighbour, both waited for after the receives
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: sum 180000.0
# standoff: check: clean
import numpy as np
from mpi4py import MPI

comm = MPI.COMM_WORLD
left, right = (comm.rank - 1) % comm.size, (comm.rank + 1) % comm.size
values = np.full(40_000, comm.rank + 0.5)
columns = np.arange(40_000, dtype="i4")
total = values.sum()

for _ in range(comm.size - 1):
    requests = [comm.Isend(values, right, tag=1), comm.Isend(columns, right, tag=2)]
    next_values, next_columns = np.empty_like(values), np.empty_like(columns)
    comm.Recv(next_values, left, tag=1)
    comm.Recv(next_columns, left, tag=2)
    MPI.Request.Waitall(requests)
    values, columns = next_values, next_columns
    total += values.sum()

if comm.rank == 0:
    print(f"sum {total:.1f}", flush=True)
