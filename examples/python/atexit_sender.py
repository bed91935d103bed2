# standoff: title: a rank sends what others wait for only when its interpreter exits
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: summary 2
import atexit
import time
from mpi4py import MPI

comm = MPI.COMM_WORLD


def send_summary():
    time.sleep(1.0)
    comm.send(comm.rank, dest=0, tag=1)


if comm.rank == 2:
    atexit.register(send_summary)
if comm.rank == 0:
    print("summary", comm.recv(source=2, tag=1), flush=True)
