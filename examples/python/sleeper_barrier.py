# standoff: title: one rank sleeps for three seconds while all others wait in a barrier
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: awake
import time
from mpi4py import MPI


def prepare(rank):
    if rank == 1:
        time.sleep(3.0)


comm = MPI.COMM_WORLD
prepare(comm.rank)
comm.Barrier()
if comm.rank == 0:
    print("awake", flush=True)
