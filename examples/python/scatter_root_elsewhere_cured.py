# standoff: title: cured: all name the same root
# standoff: ranks: 2
# standoff: expect: clean
# standoff: stdout: share 0
from mpi4py import MPI


def shares(comm, root):
    parts = list(range(comm.size)) if comm.rank == root else None
    return comm.scatter(parts, root=root)


def main():
    comm = MPI.COMM_WORLD
    share = shares(comm, root=0)
    if comm.rank == 0:
        print("share", share, flush=True)


main()
