# standoff: title: the same collector, and MPI orders the estimates: rank 1 wakes rank 2 when its own was taken
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: estimates 1 and 2
# standoff: check: clean
#
# A synchronous send is over when its message is matched: rank 2's cannot come
# before it.
from mpi4py import MPI

comm = MPI.COMM_WORLD
if comm.rank == 0:
    first = comm.recv(source=MPI.ANY_SOURCE, tag=1)
    second = comm.recv(source=2, tag=1)
    print("estimates", first, "and", second)
elif comm.rank == 1:
    comm.ssend(1, dest=0, tag=1)
    comm.send(None, dest=2, tag=2)
else:
    comm.recv(source=1, tag=2)
    comm.send(2, dest=0, tag=1)
