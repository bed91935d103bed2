# standoff: title: a two-level reduction in which the leader of a one-rank node returns early
# standoff: ranks: 7
# standoff: expect: deadlock
# standoff: core: 0-6
# standoff: cured: two_level_reduce_cured
# standoff: text: rank 6
from mpi4py import MPI


class Hierarchy:
    """Nodes of three ranks, and a communicator of their first ranks."""

    def __init__(self, world):
        self.world = world
        self.node = world.Split(world.rank // 3, world.rank)
        self.leaders = world.Split(0 if self.node.rank == 0 else MPI.UNDEFINED, world.rank)

    def sum(self, value):
        if self.node.size == 1:
            return value  # "nobody to add to"
        partial = self.node.reduce(value, op=MPI.SUM, root=0)
        if self.leaders:
            partial = self.leaders.allreduce(partial, op=MPI.SUM)  # @core 0, 3
        return self.node.bcast(partial, root=0)  # @core 1, 2, 4, 5


world = MPI.COMM_WORLD
total = Hierarchy(world).sum(world.rank)
world.Barrier()  # @core 6
if world.rank == 1:
    print("total", total, flush=True)
