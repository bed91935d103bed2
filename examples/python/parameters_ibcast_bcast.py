# standoff: title: the root hands out the parameters with Ibcast and goes on, the others take them with Bcast
# standoff: ranks: 3
# standoff: expect: deadlock
# standoff: core: 0-2
# standoff: cured: parameters_ibcast_bcast_cured
# standoff: text: was MPI_Ibcast (root 0) on rank 0, but MPI_Bcast (root 0) on ranks 1 and 2
# standoff: text: rank 0 calls MPI_Ibcast with root 0
import numpy as np
from mpi4py import MPI


def hand_out(comm, parameters):
    comm.Ibcast(parameters, root=0).Wait()


def take(comm, parameters):
    comm.Bcast(parameters, root=0)  # @core 1-2


def main():
    comm = MPI.COMM_WORLD
    parameters = np.zeros(4)
    if comm.rank == 0:
        parameters[:] = 0.1, 0.2, 0.3, 0.4
        hand_out(comm, parameters)
    else:
        take(comm, parameters)
    error = np.zeros(1)
    comm.Allreduce(np.array([parameters[comm.rank]]), error)  # @core 0
    if comm.rank == 0:
        print("error", round(error[0], 3), flush=True)


main()
