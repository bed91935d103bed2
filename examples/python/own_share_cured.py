# standoff: title: the root keeps its own share
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: rank 0 has [0, 3, 6]
# standoff: check: clean
from mpi4py import MPI

comm = MPI.COMM_WORLD
if comm.rank == 0:
    rows = list(range(9))
    for rank in range(1, comm.size):
        comm.send(rows[rank :: comm.size], dest=rank)
    share = rows[0 :: comm.size]
else:
    share = comm.recv(source=0)
if comm.rank == 0:
    print("rank 0 has", share)
