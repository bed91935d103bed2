# standoff: title: the garbage collection runs on one rank only, and with it a destructor that calls a collective
# standoff: ranks: 4
# standoff: expect: deadlock
# standoff: core: 0-3
# standoff: cured: collected_on_one_rank_cured
# standoff: text: Rank 2 is in a destructor (__del__ at
# standoff: text: which Python ran at
import gc
from mpi4py import MPI


class Node:
    """Part of a tree that knows its parent: only the garbage collection takes it away."""

    def __init__(self, comm, parent=None):
        self.comm = comm
        self.parent = parent
        self.children = []
        if parent is not None:
            parent.children.append(self)

    def __del__(self):
        if self.parent is None:
            self.comm.allreduce(0)  # @core 2


def build(comm):
    root = Node(comm)
    for _ in range(3):
        Node(comm, root)
    return root


def main():
    comm = MPI.COMM_WORLD
    gc.disable()
    own = comm.Dup()
    tree = build(own)
    size = len(tree.children)
    del tree
    if comm.rank == 2:
        gc.collect()  # memory is short here
    total = comm.allreduce(size)  # @core 0-1, 3
    if comm.rank == 0:
        print("nodes", total, flush=True)


main()
