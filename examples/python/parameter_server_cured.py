# standoff: title: cured: all workers push before they pull
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: weights 6.0
from mpi4py import MPI

PUSH, PULL = 1, 2


def server(comm):
    weights = 0.0
    for worker in range(1, comm.size):
        weights += comm.recv(source=worker, tag=PUSH)
    for worker in range(1, comm.size):
        comm.send(weights, dest=worker, tag=PULL)
    print("weights", weights, flush=True)


def pull(comm):
    return comm.recv(source=0, tag=PULL)


def push(comm, gradient):
    comm.send(gradient, dest=0, tag=PUSH)


def worker(comm):
    gradient = float(comm.rank)
    push(comm, gradient)
    pull(comm)


def main():
    comm = MPI.COMM_WORLD
    server(comm) if comm.rank == 0 else worker(comm)


main()
