# standoff: title: cured: the root takes part in the broadcast
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: 4 parts
from mpi4py import MPI


def parameters(comm):
    table = {"steps": 3} if comm.rank == 0 else None
    return comm.bcast(table, root=0)


def run(comm):
    table = parameters(comm)
    part = comm.rank * table["steps"]
    return comm.gather(part, root=0)


parts = run(MPI.COMM_WORLD)
if MPI.COMM_WORLD.rank == 0:
    print(len(parts), "parts", flush=True)
