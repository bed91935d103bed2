# standoff: title: sums along rows and columns of a grid, sent in the row and in the column before receiving
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: rank 0 has 3
# standoff: cured: grid_two_communicators_cured
# standoff: check: potential-deadlock
#
# Each pair of neighbours is fine for itself. Rank 0 sends along its row, to 1;
# 1 down its column, to 3; 3 along its row, to 2; 2 up its column, to 0.
from mpi4py import MPI

comm = MPI.COMM_WORLD
row = comm.Split(color=comm.rank // 2, key=comm.rank)
column = comm.Split(color=comm.rank % 2, key=comm.rank)
first, second = (row, column) if comm.rank in (0, 3) else (column, row)
first.send(comm.rank, dest=1 - first.rank)  # @check 0-3
got = second.recv(source=1 - second.rank)
second.send(comm.rank, dest=1 - second.rank)
got += first.recv(source=1 - first.rank)
if comm.rank == 0:
    print("rank 0 has", got)
