# standoff: title: a shift to the right, half cured: it works as long as the messages are small
# standoff: ranks: 5
# standoff: expect: clean
# standoff: cured: ring_wrong_side_cured
# standoff: check: potential-deadlock
from mpi4py import MPI

comm = MPI.COMM_WORLD
right = (comm.rank + 1) % comm.size
left = (comm.rank - 1) % comm.size
cells = [comm.rank] * 4

for _ in range(3):
    comm.isend(cells[-1], dest=right, tag=3).wait()  # @check 0-4
    cells[0] = comm.recv(source=left, tag=3)
print(cells[0])
