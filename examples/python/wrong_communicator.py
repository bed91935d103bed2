# standoff: title: sent on a duplicate of the world, received on the world
# standoff: ranks: 3
# standoff: expect: deadlock
# standoff: core: 0, 1
# standoff: victims: 2
# standoff: cured: wrong_communicator_cured
# standoff: text: recv
from mpi4py import MPI


class Solver:
    def __init__(self, world):
        self.world = world
        self.private = world.Dup()

    def give(self, value):
        self.private.send(value, dest=1, tag=5)
        return self.private.recv(source=1, tag=6)  # @core 0

    def take(self):
        value = self.world.recv(source=0, tag=5)  # @core 1
        self.private.send(-value, dest=0, tag=6)
        return value

    def solve(self):
        if self.world.rank == 0:
            self.give(1.5)
        elif self.world.rank == 1:
            self.take()
        self.world.Barrier()


solver = Solver(MPI.COMM_WORLD)
solver.solve()
if solver.world.rank == 0:
    print("solved", flush=True)
