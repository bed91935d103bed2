# standoff: title: a rank calls Abort while the others wait
# standoff: ranks: 3
# standoff: expect: failed
from mpi4py import MPI


def check_input(comm):
    if comm.rank == 1:
        comm.Abort(3)


comm = MPI.COMM_WORLD
check_input(comm)
comm.Barrier()
