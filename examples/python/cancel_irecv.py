# standoff: title: receives that nobody answers are cancelled
# standoff: ranks: 2
# standoff: expect: clean
# standoff: stdout: cancelled 5
import time
from array import array
from mpi4py import MPI


def speculative(comm, partner):
    buffers = [array("i", [0]) for _ in range(5)]
    requests = [comm.Irecv(b, source=partner, tag=i) for i, b in enumerate(buffers)]
    time.sleep(0.5)
    cancelled = 0
    for request in requests:
        status = MPI.Status()
        request.Cancel()
        request.Wait(status)
        cancelled += status.Is_cancelled()
    return cancelled


def main():
    comm = MPI.COMM_WORLD
    count = speculative(comm, 1 - comm.rank)
    comm.Barrier()
    if comm.rank == 0:
        print("cancelled", count, flush=True)


main()
