# standoff: title: what the ranks have to do together they do before they let the tree go
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: nodes 12
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

    def finish(self):
        self.comm.allreduce(0)


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
    tree.finish()
    del tree
    if comm.rank == 2:
        gc.collect()  # memory is short here
    total = comm.allreduce(size)
    if comm.rank == 0:
        print("nodes", total, flush=True)


main()
