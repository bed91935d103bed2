# standoff: title: the next parameters are broadcast nonblocking, and awaited before the old results are sent
# standoff: ranks: 3
# standoff: expect: deadlock
# standoff: core: 0-2
# standoff: cured: ibcast_before_order_cured
# standoff: text: rank 0
import numpy as np
from mpi4py import MPI

comm = MPI.COMM_WORLD
parameters = np.zeros(4)


def fit(results):
    return np.asarray(results).mean(axis=0)


def worker():
    request = comm.Ibcast(parameters, root=0)
    result = np.full(4, float(comm.rank))
    request.Wait()  # @core 1, 2
    comm.Send(result, dest=0, tag=8)


def master():
    results = np.empty((comm.size - 1, 4))
    for row in results:
        comm.Recv(row, source=MPI.ANY_SOURCE, tag=8)  # @core 0
    parameters[:] = fit(results)
    comm.Ibcast(parameters, root=0).Wait()


master() if comm.rank == 0 else worker()
if comm.rank == 1:
    print("parameters", parameters[0], flush=True)
