# standoff: title: one rank waits for its orders while the others gather
# standoff: ranks: 4
# standoff: expect: deadlock
# standoff: core: 0, 2
# standoff: victims: 1, 3
# standoff: cured: gather_not_by_all_cured
# standoff: text: gather
from mpi4py import MPI


def orders(comm):
    if comm.rank == 0:
        comm.send("measure", dest=2, tag=9)
    elif comm.rank == 2:
        assert comm.recv(source=0, tag=9) == "measure"  # @core 2


def timings(comm):
    return comm.gather(comm.rank * 0.1, root=0)  # @core 0


def main():
    comm = MPI.COMM_WORLD
    if comm.rank == 2:
        orders(comm)
        got = timings(comm)
    else:
        got = timings(comm)
        orders(comm)
    comm.Barrier()
    if comm.rank == 0:
        print("gathered", len(got), "timings", flush=True)


main()
