# standoff: title: a worker dies of a KeyError, the master waits for its result
# standoff: ranks: 4
# standoff: expect: deadlock
# standoff: core: 0
# standoff: left: 2
# standoff: victims: 1, 3
# standoff: cured: worker_raises_cured
# standoff: text: raised KeyError: 'steps' at
# standoff: text: Traceback (most recent call last):
from mpi4py import MPI

SETTINGS = {1: {"steps": 1}, 2: {"step": 2}, 3: {"steps": 3}}


def simulate(rank):
    return SETTINGS[rank]["steps"]


def master(comm):
    results = []
    for worker in range(1, comm.size):
        results.append(comm.recv(source=worker))  # @core 0
    for worker in range(1, comm.size):
        comm.send("thanks", dest=worker)
    print("results", *results, flush=True)


def worker(comm):
    comm.send(simulate(comm.rank), dest=0)
    comm.recv(source=0)


def main():
    comm = MPI.COMM_WORLD
    if comm.rank == 0:
        master(comm)
    else:
        worker(comm)


main()
