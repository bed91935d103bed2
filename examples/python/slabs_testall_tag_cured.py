# standoff: title: a stencil computes until Testall finds both ghost rows
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: one step, sum 144.0
# standoff: check: clean
# standoff: check-scope: bounded
#
# How often Testall finds nothing has no bound.
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
        requests.append(comm.Isend(rows[1].copy(), dest=above, tag=UP))
    if below < comm.size:
        requests.append(comm.Irecv(rows[-1], source=below, tag=UP))
        requests.append(comm.Isend(rows[-2].copy(), dest=below, tag=DOWN))
    while not MPI.Request.Testall(requests):
        rows[2:-2] = 0.5 * (rows[1:-3] + rows[3:-1])


def main():
    exchange()
    change = comm.allreduce(float(rows.sum()))
    if comm.rank == 0:
        print("one step, sum", change)


main()
