# standoff: title: the leader takes part in the reduction of the leaders
# standoff: ranks: 7
# standoff: expect: clean
# standoff: stdout: total 21
from mpi4py import MPI


class Hierarchy:
    """Nodes of three ranks, and a communicator of their first ranks."""

    def __init__(self, world):
        self.world = world
        self.node = world.Split(world.rank // 3, world.rank)
        self.leaders = world.Split(0 if self.node.rank == 0 else MPI.UNDEFINED, world.rank)

    def sum(self, value):
        partial = self.node.reduce(value, op=MPI.SUM, root=0)
        if self.leaders:
            partial = self.leaders.allreduce(partial, op=MPI.SUM)
        return self.node.bcast(partial, root=0)


world = MPI.COMM_WORLD
total = Hierarchy(world).sum(world.rank)
world.Barrier()
if world.rank == 1:
    print("total", total, flush=True)
