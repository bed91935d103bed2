# standoff: title: cured: both sides use the duplicate
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: solved
from mpi4py import MPI


class Solver:
    def __init__(self, world):
        self.world = world
        self.private = world.Dup()

    def give(self, value):
        self.private.send(value, dest=1, tag=5)
        return self.private.recv(source=1, tag=6)

    def take(self):
        value = self.private.recv(source=0, tag=5)
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
