# standoff: title: rank 0 reads standard input slowly, the others wait for the lines
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdin: alpha\nbeta\ngamma\n
# standoff: stdout: ALPHA BETA GAMMA
import sys
import time
from mpi4py import MPI


def lines():
    for line in sys.stdin:
        time.sleep(0.5)
        yield line.strip()
    yield None


def serve(comm):
    words = []
    for i, line in enumerate(lines()):
        if line is None:
            break
        worker = 1 + i % (comm.size - 1)
        comm.send(line, dest=worker)
        words.append(comm.recv(source=worker))
    for worker in range(1, comm.size):
        comm.send(None, dest=worker)
    print(*words, flush=True)


def work(comm):
    while True:
        line = comm.recv(source=0)
        if line is None:
            return
        comm.send(line.upper(), dest=0)


comm = MPI.COMM_WORLD
serve(comm) if comm.rank == 0 else work(comm)
