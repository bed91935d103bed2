# standoff: title: the root gathers first
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: 3 counts, detail of rank 2
# standoff: check: clean
from array import array
from mpi4py import MPI

comm = MPI.COMM_WORLD
count = array("i", [comm.rank])
counts = array("i", [0] * comm.size) if comm.rank == 0 else None
if comm.rank == 0:
    comm.Gather(count, counts, root=0)
    detail = comm.recv(source=2)
    print(len(counts), "counts,", detail)
else:
    comm.Gather(count, counts, root=0)
    if comm.rank == 2:
        comm.send("detail of rank 2", dest=0)
