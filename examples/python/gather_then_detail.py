# standoff: title: a leaf of a gather sends a detail afterwards, which the root wants before it gathers
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: 3 counts, detail of rank 2
# standoff: cured: gather_then_detail_cured
# standoff: check: potential-deadlock
from array import array
from mpi4py import MPI

comm = MPI.COMM_WORLD
count = array("i", [comm.rank])
counts = array("i", [0] * comm.size) if comm.rank == 0 else None
if comm.rank == 0:
    detail = comm.recv(source=2)  # @check 0
    comm.Gather(count, counts, root=0)
    print(len(counts), "counts,", detail)
else:
    comm.Gather(count, counts, root=0)  # @check 2
    if comm.rank == 2:
        comm.send("detail of rank 2", dest=0)
