# standoff: title: helpers that are spawned at run time report to their parents
# standoff: ranks: 1
# standoff: expect: clean
# standoff: stdout: helpers said 0 10
import sys
import time
from mpi4py import MPI


def parent():
    helpers = MPI.COMM_SELF.Spawn(sys.executable, args=[__file__], maxprocs=2)
    said = [helpers.recv(source=i) for i in range(2)]
    helpers.Disconnect()
    print("helpers said", *said, flush=True)


def helper(up):
    time.sleep(0.5)
    up.send(10 * MPI.COMM_WORLD.rank, dest=0)
    up.Disconnect()


up = MPI.Comm.Get_parent()
parent() if up == MPI.COMM_NULL else helper(up)
