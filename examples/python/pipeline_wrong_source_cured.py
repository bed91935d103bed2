# standoff: title: cured: each stage receives from the one before it
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: result 3
from mpi4py import MPI

comm = MPI.COMM_WORLD


def stage(rank):
    if rank == 0:
        item = 0
    else:
        before = rank - 1
        item = fetch(before) + 1
    if rank + 1 < comm.size:
        comm.send(item, dest=rank + 1)
    else:
        print("result", item, flush=True)


def fetch(before):
    return comm.recv(source=before)


stage(comm.rank)
