# standoff: title: the parameters go out and come in with Ibcast, and nobody waits for them at once
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: error 0.6
import numpy as np
from mpi4py import MPI


def hand_out(comm, parameters):
    return comm.Ibcast(parameters, root=0)


def take(comm, parameters):
    return comm.Ibcast(parameters, root=0)


def main():
    comm = MPI.COMM_WORLD
    parameters = np.zeros(4)
    if comm.rank == 0:
        parameters[:] = 0.1, 0.2, 0.3, 0.4
        request = hand_out(comm, parameters)
    else:
        request = take(comm, parameters)
    error = np.zeros(1)
    request.Wait()
    comm.Allreduce(np.array([parameters[comm.rank]]), error)
    if comm.rank == 0:
        print("error", round(error[0], 3), flush=True)


main()
