# standoff: title: the results are sent before the wait
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: parameters 1.5
import numpy as np
from mpi4py import MPI

comm = MPI.COMM_WORLD
parameters = np.zeros(4)


def fit(results):
    return np.asarray(results).mean(axis=0)


def worker():
    request = comm.Ibcast(parameters, root=0)
    result = np.full(4, float(comm.rank))
    comm.Send(result, dest=0, tag=8)
    request.Wait()


def master():
    results = np.empty((comm.size - 1, 4))
    for row in results:
        comm.Recv(row, source=MPI.ANY_SOURCE, tag=8)
    parameters[:] = fit(results)
    comm.Ibcast(parameters, root=0).Wait()


master() if comm.rank == 0 else worker()
if comm.rank == 1:
    print("parameters", parameters[0], flush=True)
