# standoff: title: cured: the orders go out before the gather
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: gathered 4 timings
from mpi4py import MPI


def orders(comm):
    if comm.rank == 0:
        comm.send("measure", dest=2, tag=9)
    elif comm.rank == 2:
        assert comm.recv(source=0, tag=9) == "measure"


def timings(comm):
    return comm.gather(comm.rank * 0.1, root=0)


def main():
    comm = MPI.COMM_WORLD
    orders(comm)
    got = timings(comm)
    comm.Barrier()
    if comm.rank == 0:
        print("gathered", len(got), "timings", flush=True)


main()
