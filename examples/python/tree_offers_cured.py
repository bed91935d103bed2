# standoff: title: children take the scale before they report
# standoff: ranks: 7
# standoff: expect: clean
# standoff: stdout: sum 21
# standoff: check: clean
from mpi4py import MPI

comm = MPI.COMM_WORLD
parent = (comm.rank - 1) // 2 if comm.rank else None
children = [c for c in (2 * comm.rank + 1, 2 * comm.rank + 2) if c < comm.size]
total = comm.rank
if parent is not None:
    scale = comm.recv(source=parent, tag=1)
for child in children:
    comm.send(1, dest=child, tag=1)
    total += comm.recv(source=child, tag=2)
if parent is not None:
    comm.send(total, dest=parent, tag=2)
else:
    print("sum", total)
