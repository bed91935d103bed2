# standoff: title: the opening example cured: one side sends first
# standoff: ranks: 9
# standoff: expect: clean
# standoff: stdout: rank 1 got b
# standoff: check: clean
from mpi4py import MPI
comm = MPI.COMM_WORLD
if comm.rank == 1:
    comm.send("a", dest=5); got = comm.recv(source=5)
    print("rank 1 got", got, flush=True)
if comm.rank == 5:
    got = comm.recv(source=1); comm.send("b", dest=1)
