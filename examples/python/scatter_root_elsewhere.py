# standoff: title: the ranks disagree on who scatters
# standoff: ranks: 2
# standoff: expect: deadlock
# standoff: core: 0, 1
# standoff: cured: scatter_root_elsewhere_cured
# standoff: text: scatter
from mpi4py import MPI


def shares(comm, root):
    parts = list(range(comm.size)) if comm.rank == root else None
    return comm.scatter(parts, root=root)  # @core 0, 1


def main():
    comm = MPI.COMM_WORLD
    share = shares(comm, root=1 - comm.rank)
    if comm.rank == 0:
        print("share", share, flush=True)


main()
