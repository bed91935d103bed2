# standoff: title: a master that takes the first results only; the others' are never received
# standoff: ranks: 4
# standoff: expect: clean
# standoff: mpi: openmpi
# standoff: warns: unreceived-message
# standoff: text: 2 messages from ranks 2 and 3 to rank 0
# standoff: cured: late_results_dropped_cured
from mpi4py import MPI

ENOUGH = 1
comm = MPI.COMM_WORLD


def estimate(seed):
    return sum((seed * 7919 + i) % 101 for i in range(1000)) / 1000


if comm.rank == 0:
    best = [comm.recv(source=1, tag=1)][:ENOUGH]
    print("best", len(best))
else:
    comm.send(estimate(comm.rank), dest=0, tag=1)  # @warn
comm.barrier()
