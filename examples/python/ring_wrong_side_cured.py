# standoff: title: a shift to the right with receives from the left
# standoff: ranks: 5
# standoff: expect: clean
# standoff: check: clean
from mpi4py import MPI

comm = MPI.COMM_WORLD
right = (comm.rank + 1) % comm.size
left = (comm.rank - 1) % comm.size
cells = [comm.rank] * 4

for _ in range(3):
    sent = comm.isend(cells[-1], dest=right, tag=3)
    cells[0] = comm.recv(source=left, tag=3)
    sent.wait()
print(cells[0])
