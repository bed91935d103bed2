# standoff: title: the opening example cured: both sides use sendrecv
# standoff: ranks: 9
# standoff: expect: clean
# standoff: stdout: rank 1 got b
# standoff: check: clean
from mpi4py import MPI
comm = MPI.COMM_WORLD
if comm.rank == 1:
    got = comm.sendrecv("a", dest=5, source=5)
    print("rank 1 got", got, flush=True)
if comm.rank == 5:
    got = comm.sendrecv("b", dest=1, source=1)
