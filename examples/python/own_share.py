# standoff: title: the root deals out work by sends, also to itself, and then all receive
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: rank 0 has [0, 3, 6]
# standoff: cured: own_share_cured
# standoff: check: potential-deadlock
#
# Rank 0 cannot receive its own share while it waits for that share to be
# received.
from mpi4py import MPI

comm = MPI.COMM_WORLD
if comm.rank == 0:
    rows = list(range(9))
    for rank in range(comm.size):
        comm.send(rows[rank :: comm.size], dest=rank)  # @check 0
share = comm.recv(source=0)
if comm.rank == 0:
    print("rank 0 has", share)
