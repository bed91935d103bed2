# standoff: title: the collector takes both estimates from anybody
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: estimates [1, 2]
# standoff: check: clean
from mpi4py import MPI

comm = MPI.COMM_WORLD
if comm.rank == 0:
    both = [comm.recv(source=MPI.ANY_SOURCE, tag=1) for _ in range(2)]
    print("estimates", sorted(both))
elif comm.rank == 1:
    comm.send(1, dest=0, tag=1)
    comm.send(None, dest=2, tag=2)
else:
    comm.recv(source=1, tag=2)
    comm.send(2, dest=0, tag=1)
