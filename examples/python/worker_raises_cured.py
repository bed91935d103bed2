# standoff: title: cured: the key is looked up with a default
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: results 1 4 3
from mpi4py import MPI

SETTINGS = {1: {"steps": 1}, 2: {"step": 2}, 3: {"steps": 3}}


def simulate(rank):
    return SETTINGS[rank].get("steps", 4)


def master(comm):
    results = []
    for worker in range(1, comm.size):
        results.append(comm.recv(source=worker))
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
