# standoff: title: a rank with wrong settings leaves by sys.exit, out of a function, the others go on
# standoff: ranks: 3
# standoff: expect: deadlock
# standoff: core: 0, 2
# standoff: left: 1
# standoff: cured: settings_exit_cured
# standoff: text: called sys.exit(3) at
import sys
from mpi4py import MPI


def read_settings(rank):
    return {"steps": 10} if rank != 1 else {}


def configure(rank):
    settings = read_settings(rank)
    if "steps" not in settings:
        print("no steps given", file=sys.stderr)
        sys.exit(3)
    return settings["steps"]


def main():
    comm = MPI.COMM_WORLD
    steps = configure(comm.rank)
    for step in range(steps):
        total = comm.allreduce(step)  # @core 0, 2
    if comm.rank == 0:
        print("total", total, flush=True)


main()
