# standoff: title: one rank gathers where the others reduce; small buffers let it pass
# standoff: ranks: 3
# standoff: expect: clean
# standoff: warns: collective-mismatch
# standoff: text: rank 2 called MPI_Gather with root 0
# standoff: cured: reduce_or_gather_cured
import numpy
from mpi4py import MPI

comm = MPI.COMM_WORLD
mine = numpy.full(1, comm.rank, dtype="d")
total = numpy.zeros(3, dtype="d")
comm.Barrier()
if comm.rank == 2:
    comm.Gather(mine, None, root=0)  # @warn
else:
    comm.Reduce(mine, total[:1] if comm.rank == 0 else None, root=0)  # @warn
