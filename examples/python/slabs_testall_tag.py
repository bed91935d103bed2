# standoff: title: a stencil computes until Testall finds both ghost rows; one comes with the wrong tag
# standoff: ranks: 3
# standoff: expect: stalled
# standoff: core: 1, 2
# standoff: victims: 0
# standoff: text: rank 1 got nothing from any poll
# standoff: cured: slabs_testall_tag_cured
#
# One of the two receives of rank 1 has its message. That ends no Testall: it is the other that counts.
import numpy as np
from mpi4py import MPI

DOWN, UP = 1, 2
comm = MPI.COMM_WORLD
above, below = comm.rank - 1, comm.rank + 1
rows = np.full((6, 8), float(comm.rank))


def exchange():
    requests = []
    if above >= 0:
        requests.append(comm.Irecv(rows[0], source=above, tag=DOWN))
        # The last slab sends as if it had a neighbour below.
        tag = UP if below < comm.size else DOWN
        requests.append(comm.Isend(rows[1].copy(), dest=above, tag=tag))
    if below < comm.size:
        requests.append(comm.Irecv(rows[-1], source=below, tag=UP))
        requests.append(comm.Isend(rows[-2].copy(), dest=below, tag=DOWN))
    while not MPI.Request.Testall(requests):  # @core 1
        rows[2:-2] = 0.5 * (rows[1:-3] + rows[3:-1])


def main():
    exchange()
    change = comm.allreduce(float(rows.sum()))  # @core 2
    if comm.rank == 0:
        print("one step, sum", change)


main()
