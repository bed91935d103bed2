# standoff: title: a master polls with Testsome for results of workers of very different speed
# standoff: ranks: 5
# standoff: expect: clean
# standoff: stdout: results [1.0, 2.0, 3.0, 4.0]
import time
import numpy as np
from mpi4py import MPI

comm = MPI.COMM_WORLD


def master():
    results = np.zeros(comm.size)
    requests = [comm.Irecv(results[w : w + 1], source=w) for w in range(1, comm.size)]
    open_requests = len(requests)
    while open_requests:
        done = MPI.Request.Testsome(requests)
        if done:
            open_requests -= len(done)
        else:
            time.sleep(0.001)
    return results[1:].tolist()


def worker():
    time.sleep(0.5 * comm.rank)
    comm.Send(np.array([float(comm.rank)]), dest=0)


if comm.rank == 0:
    print("results", master(), flush=True)
else:
    worker()
