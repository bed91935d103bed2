# standoff: title: a receive buffer that is shorter than the message
# standoff: ranks: 2
# standoff: expect: failed
# standoff: exit: 1
# standoff: text: raised Exception
# standoff: text: short_receive_buffer.py:23 in exchange
# standoff: text: called from main
# standoff: text: Comm.pyx
#
# The innermost frame of the exception is inside mpi4py; the place told is the caller's.
import numpy as np
from mpi4py import MPI

comm = MPI.COMM_WORLD


def exchange(width):
    """Sends a column of `width` cells from rank 0 to rank 1, whose grid is two cells narrower."""
    if comm.rank == 0:
        comm.Send(np.zeros(width), dest=1, tag=3)
    else:
        column = np.empty(width - 2)
        comm.Recv(column, source=0, tag=3)


def main():
    exchange(64)


main()
