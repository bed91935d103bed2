# standoff: title: two thousand unexpected messages, each with its own tag, received last first
# standoff: ranks: 2
# standoff: expect: clean
# standoff: stdout: received 2000
# standoff: cured: late_unexpected_cured
# standoff: check: potential-deadlock
import time
from mpi4py import MPI

MESSAGES = 2000


def main():
    comm = MPI.COMM_WORLD
    if comm.rank == 0:
        for tag in range(MESSAGES):
            comm.send(tag, dest=1, tag=tag)  # @check 0
        comm.send("all sent", dest=1, tag=MESSAGES)
        comm.recv(source=1)
    else:
        comm.recv(source=0, tag=MESSAGES)  # @check 1
        time.sleep(1.0)
        for tag in reversed(range(MESSAGES)):
            assert comm.recv(source=0, tag=tag) == tag
        print("received", MESSAGES, flush=True)
        comm.send("done", dest=0)


main()
