# standoff: title: three ranks wait for anybody, and the one who will write reads a slow sensor first
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: hops 3
import time
from mpi4py import MPI

comm = MPI.COMM_WORLD
status = MPI.Status()
if comm.rank == 2:
    time.sleep(1.5)  # the sensor
    comm.send(0, dest=3)
hops = comm.recv(source=MPI.ANY_SOURCE, tag=MPI.ANY_TAG, status=status) + (comm.rank != 2)
order = [3, 0, 1, 2]
at = order.index(comm.rank)
if comm.rank != 2:
    comm.send(hops, dest=order[at + 1], tag=at)
else:
    print("hops", hops, flush=True)
