# standoff: title: a long chain of ranks that wait for the one before, and the first sleeps
# standoff: ranks: 8
# standoff: expect: clean
# standoff: stdout: chain of 8
import time
from mpi4py import MPI


def link(comm):
    length = 0
    if comm.rank == 0:
        time.sleep(2.0)
    else:
        length = comm.recv(source=comm.rank - 1)
        time.sleep(0.05)
    length += 1
    if comm.rank + 1 < comm.size:
        comm.ssend(length, dest=comm.rank + 1)
    return length


length = link(MPI.COMM_WORLD)
if length == MPI.COMM_WORLD.size:
    print("chain of", length, flush=True)
