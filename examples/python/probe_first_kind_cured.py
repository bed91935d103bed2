# standoff: title: the writer probes rank 1 only
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: table of 3
# standoff: check: clean
from mpi4py import MPI

TABLE, BYE = 1, 2
comm = MPI.COMM_WORLD
if comm.rank == 0:
    status = MPI.Status()
    comm.Probe(source=1, tag=MPI.ANY_TAG, status=status)
    if status.Get_tag() == TABLE:
        table = comm.recv(source=1, tag=TABLE)
        print("table of", len(table))
    comm.recv(source=2, tag=BYE)
elif comm.rank == 1:
    comm.send([1, 2, 3], dest=0, tag=TABLE)
    comm.send(None, dest=2, tag=BYE)
else:
    comm.recv(source=1, tag=BYE)
    comm.send(None, dest=0, tag=BYE)
