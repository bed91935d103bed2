# standoff: title: the workers wait for a broadcast while its root already gathers
# standoff: ranks: 4
# standoff: expect: deadlock
# standoff: core: 0-3
# standoff: cured: bcast_not_by_root_cured
# standoff: text: bcast
from mpi4py import MPI


def parameters(comm):
    table = {"steps": 3} if comm.rank == 0 else None
    if comm.rank == 0:
        return table
    return comm.bcast(table, root=0)  # @core 1-3


def run(comm):
    table = parameters(comm)
    part = comm.rank * table["steps"]
    return comm.gather(part, root=0)  # @core 0


parts = run(MPI.COMM_WORLD)
if MPI.COMM_WORLD.rank == 0:
    print(len(parts), "parts", flush=True)
