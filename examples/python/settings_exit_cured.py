# standoff: title: all ranks learn of the wrong settings, and leave together with one status
# standoff: ranks: 3
# standoff: expect: clean
# standoff: exit: 3
import sys
from mpi4py import MPI


def read_settings(rank):
    return {"steps": 10} if rank != 1 else {}


def configure(rank):
    settings = read_settings(rank)
    if "steps" not in settings:
        print("no steps given", file=sys.stderr)
        return None
    return settings["steps"]


def main():
    comm = MPI.COMM_WORLD
    steps = configure(comm.rank)
    if None in comm.allgather(steps):
        MPI.Finalize()
        sys.exit(3)
    for step in range(steps):
        total = comm.allreduce(step)
    if comm.rank == 0:
        print("total", total, flush=True)


main()
