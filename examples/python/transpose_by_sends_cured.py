# standoff: title: of each pair the lower rank sends first
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: rank 3 has [3, 13, 23, 33]
# standoff: check: clean
from mpi4py import MPI

comm = MPI.COMM_WORLD
row = [10 * comm.rank + column for column in range(comm.size)]
column = {comm.rank: row[comm.rank]}
for rank in range(comm.size):
    if rank > comm.rank:
        comm.send(row[rank], dest=rank)
        column[rank] = comm.recv(source=rank)
    elif rank < comm.rank:
        column[rank] = comm.recv(source=rank)
        comm.send(row[rank], dest=rank)
if comm.rank == 3:
    print("rank 3 has", [column[r] for r in sorted(column)])
