# standoff: title: a rank is stopped and continued while all others wait for it
# standoff: ranks: 3
# standoff: expect: clean
# standoff: needs: sigstop
# standoff: stdout: continued
#
# A process of its own stops rank 1 and continues it after two seconds.
import os
import subprocess
import time
from mpi4py import MPI


def stop_me(seconds):
    script = "kill -STOP $0; sleep %s; kill -CONT $0" % seconds
    return subprocess.Popen(["sh", "-c", script, str(os.getpid())])


def main():
    comm = MPI.COMM_WORLD
    child = None
    if comm.rank == 1:
        child = stop_me(2.0)
        time.sleep(0.2)
    data = comm.sendrecv(bytes(100000), dest=(comm.rank + 1) % 3, source=(comm.rank - 1) % 3)
    assert len(data) == 100000
    comm.Barrier()
    if child:
        child.wait()
    if comm.rank == 0:
        print("continued", flush=True)


main()
