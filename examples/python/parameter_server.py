# standoff: title: one worker pulls from the parameter server before it pushes
# standoff: ranks: 4
# standoff: expect: deadlock
# standoff: core: 0, 2
# standoff: victims: 1, 3
# standoff: cured: parameter_server_cured
# standoff: text: recv
from mpi4py import MPI

PUSH, PULL = 1, 2


def server(comm):
    weights = 0.0
    for worker in range(1, comm.size):
        weights += comm.recv(source=worker, tag=PUSH)  # @core 0
    for worker in range(1, comm.size):
        comm.send(weights, dest=worker, tag=PULL)
    print("weights", weights, flush=True)


def pull(comm):
    return comm.recv(source=0, tag=PULL)  # @core 2


def push(comm, gradient):
    comm.send(gradient, dest=0, tag=PUSH)


def worker(comm):
    gradient = float(comm.rank)
    if comm.rank == 2:
        pull(comm)
        push(comm, gradient)
    else:
        push(comm, gradient)
        pull(comm)


def main():
    comm = MPI.COMM_WORLD
    server(comm) if comm.rank == 0 else worker(comm)


main()
