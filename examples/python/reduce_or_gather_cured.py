# standoff: title: all ranks reduce
# standoff: ranks: 3
# standoff: expect: clean
import numpy
from mpi4py import MPI

comm = MPI.COMM_WORLD
mine = numpy.full(1, comm.rank, dtype="d")
total = numpy.zeros(3, dtype="d")
comm.Barrier()
comm.Reduce(mine, total[:1] if comm.rank == 0 else None, root=0)
