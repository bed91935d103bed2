# standoff: title: a rank raises, catches its exception and still sends what others wait for
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: results 1 None
import time
from mpi4py import MPI

SETTINGS = {1: {"steps": 1}}


def simulate(rank):
    try:
        return SETTINGS[rank]["steps"]
    except KeyError:
        time.sleep(1.0)
        return None


comm = MPI.COMM_WORLD
if comm.rank == 0:
    print("results", *[comm.recv(source=w) for w in range(1, comm.size)], flush=True)
else:
    comm.send(simulate(comm.rank), dest=0)
