# standoff: title: a rank forks a child that reads for it through a pipe, and late; all others wait
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: words 3
import os
import time
from mpi4py import MPI


def read_in_child():
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        time.sleep(1.5)
        os.write(theirs, b"wind sand stars")
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return text


comm = MPI.COMM_WORLD
text = read_in_child() if comm.rank == 3 else None
count = comm.allreduce(len(text.split()) if text else 0)
if comm.rank == 0:
    print("words", count, flush=True)
