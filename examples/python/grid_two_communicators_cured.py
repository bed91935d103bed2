# standoff: title: first along the rows, then along the columns, with sendrecv
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: rank 0 has 3
# standoff: check: clean
from mpi4py import MPI

comm = MPI.COMM_WORLD
row = comm.Split(color=comm.rank // 2, key=comm.rank)
column = comm.Split(color=comm.rank % 2, key=comm.rank)
got = 0
for line in (row, column):
    got += line.sendrecv(comm.rank, dest=1 - line.rank, source=1 - line.rank)
if comm.rank == 0:
    print("rank 0 has", got)
