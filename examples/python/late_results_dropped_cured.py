# standoff: title: a master that takes all results
# standoff: ranks: 4
# standoff: expect: clean
from mpi4py import MPI

ENOUGH = 1
comm = MPI.COMM_WORLD


def estimate(seed):
    return sum((seed * 7919 + i) % 101 for i in range(1000)) / 1000


if comm.rank == 0:
    best = [comm.recv(tag=1) for _ in range(1, comm.size)][:ENOUGH]
    print("best", len(best))
else:
    comm.send(estimate(comm.rank), dest=0, tag=1)
comm.barrier()
