# standoff: title: graph traversal that each rank ends when its own frontier is empty
# standoff: ranks: 4
# standoff: expect: deadlock
# standoff: core: 0-3
# standoff: cured: bfs_local_frontier_cured
# standoff: text: alltoall
#
# The others, whose frontiers are empty, already count what they visited.
from mpi4py import MPI

N = 16


def neighbours(vertex):
    return [v for v in (2 * vertex + 1, 2 * vertex + 2) if v < N]


def owner(comm, vertex):
    return min(vertex // 3, comm.size - 1) if vertex else 0


def expand(comm, frontier):
    outgoing = [[] for _ in range(comm.size)]
    for vertex in frontier:
        for other in neighbours(vertex):
            outgoing[owner(comm, other)].append(other)
    incoming = comm.alltoall(outgoing)  # @core 0
    return [v for part in incoming for v in part]


def traverse(comm, source):
    frontier = [source] if owner(comm, source) == comm.rank else []
    visited = set(frontier)
    while True:
        if not frontier:
            return visited
        frontier = [v for v in expand(comm, frontier) if v not in visited]
        visited.update(frontier)


def main():
    comm = MPI.COMM_WORLD
    visited = traverse(comm, 0)
    total = comm.reduce(len(visited), root=0)  # @core 1-3
    if comm.rank == 0:
        print("visited", total, flush=True)


main()
