# standoff: title: a shift to the right in which everybody receives from the right, too
# standoff: ranks: 5
# standoff: expect: deadlock
# standoff: core: 0-4
# standoff: text: rank 4 sent tag 3
# standoff: text: check the source of the receive
# standoff: cured: ring_wrong_side_cured
from mpi4py import MPI

comm = MPI.COMM_WORLD
right = (comm.rank + 1) % comm.size
left = (comm.rank - 1) % comm.size
cells = [comm.rank] * 4

for _ in range(3):
    comm.isend(cells[-1], dest=right, tag=3).wait()
    cells[0] = comm.recv(source=right, tag=3)  # @core 0-4
print(cells[0])
