# standoff: title: one of two receives fails in Waitall; the other, from a late rank, is waited for again
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: passed
import time

import numpy as np
from mpi4py import MPI

comm = MPI.COMM_WORLD
if comm.rank == 0:
    few, many, last = np.empty(2), np.empty(100), np.empty(4)
    requests = [comm.Irecv(few, source=1, tag=1), comm.Irecv(many, source=2, tag=2)]
    try:
        MPI.Request.Waitall(requests)
    except MPI.Exception as error:
        print("lost the first:", error.Get_error_string(), flush=True)
    for request in requests:
        if request != MPI.REQUEST_NULL:
            try:
                request.Wait()
            except MPI.Exception:
                pass
    comm.Recv(last, source=1, tag=3)
    comm.send("go on", dest=2)
elif comm.rank == 1:
    comm.Send(np.ones(10), dest=0, tag=1)
    time.sleep(1.2)
    comm.Ssend(np.ones(4), dest=0, tag=3)
else:
    time.sleep(0.6)
    comm.Ssend(np.ones(100), dest=0, tag=2)
    comm.recv(source=0)
comm.Barrier()
if comm.rank == 0:
    print("passed", flush=True)
