# standoff: title: an all-to-all by hand: every rank sends to all others and then receives
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: rank 3 has [3, 13, 23, 33]
# standoff: cured: transpose_by_sends_cured
# standoff: check: potential-deadlock
from mpi4py import MPI

comm = MPI.COMM_WORLD
row = [10 * comm.rank + column for column in range(comm.size)]
others = [rank for rank in range(comm.size) if rank != comm.rank]
for rank in others:
    comm.send(row[rank], dest=rank)  # @check 0-1
column = {comm.rank: row[comm.rank]}
for rank in others:
    column[rank] = comm.recv(source=rank)
if comm.rank == 3:
    print("rank 3 has", [column[r] for r in sorted(column)])
