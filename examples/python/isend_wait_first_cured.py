# standoff: title: the wait comes after the receive
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: 9 particles
# standoff: check: clean
from mpi4py import MPI

comm = MPI.COMM_WORLD
to, source = (comm.rank + 1) % comm.size, (comm.rank - 1) % comm.size
mine = [(comm.rank, n) for n in range(3)]
for step in range(3):
    gone, mine = mine[:1], mine[1:]
    request = comm.isend(gone, dest=to, tag=step)
    mine += comm.recv(source=source, tag=step)
    request.wait()
count = comm.allreduce(len(mine))
if comm.rank == 0:
    print(count, "particles")
