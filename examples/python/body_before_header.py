# standoff: title: a header and then the body are sent, and received the other way round
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: rank 0 got 5 numbers in volts
# standoff: cured: body_before_header_cured
# standoff: check: potential-deadlock
#
# Tags let the receiver choose, but the sender may wait for its header to be
# taken before it sends the body.
import numpy as np
from mpi4py import MPI

comm = MPI.COMM_WORLD
HEADER, BODY = 1, 2
if comm.rank == 0:
    for source in range(1, comm.size):
        body = np.empty(5)
        comm.Recv(body, source=source, tag=BODY)  # @check 0
        header = comm.recv(source=source, tag=HEADER)
    print("rank 0 got", len(body), "numbers in", header["unit"])
else:
    comm.send({"unit": "volts"}, dest=0, tag=HEADER)  # @check 1
    comm.Send(np.arange(5.0), dest=0, tag=BODY)
