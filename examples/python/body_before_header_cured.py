# standoff: title: header and body are received as they are sent
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: rank 0 got 5 numbers in volts
# standoff: check: clean
import numpy as np
from mpi4py import MPI

comm = MPI.COMM_WORLD
HEADER, BODY = 1, 2
if comm.rank == 0:
    for source in range(1, comm.size):
        header = comm.recv(source=source, tag=HEADER)
        body = np.empty(5)
        comm.Recv(body, source=source, tag=BODY)
    print("rank 0 got", len(body), "numbers in", header["unit"])
else:
    comm.send({"unit": "volts"}, dest=0, tag=HEADER)
    comm.Send(np.arange(5.0), dest=0, tag=BODY)
