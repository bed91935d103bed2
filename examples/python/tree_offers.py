# standoff: title: a binary tree in which parents tell their children the scale while the children report upwards
# standoff: ranks: 7
# standoff: expect: clean
# standoff: stdout: sum 21
# standoff: cured: tree_offers_cured
# standoff: check: potential-deadlock
from mpi4py import MPI

comm = MPI.COMM_WORLD
parent = (comm.rank - 1) // 2 if comm.rank else None
children = [c for c in (2 * comm.rank + 1, 2 * comm.rank + 2) if c < comm.size]
total = comm.rank
for child in children:
    comm.send(1, dest=child, tag=1)  # @check 1
    total += comm.recv(source=child, tag=2)
if parent is not None:
    comm.send(total, dest=parent, tag=2)  # @check 3
    scale = comm.recv(source=parent, tag=1)
if parent is None:
    print("sum", total)
