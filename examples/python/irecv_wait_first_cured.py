# standoff: title: cured: the send comes before the wait
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: corrected
from mpi4py import MPI


class Level:
    """One level of a multigrid cycle on a ring of subdomains."""

    def __init__(self, comm):
        self.comm = comm
        self.up = (comm.rank + 1) % comm.size
        self.down = (comm.rank - 1) % comm.size

    def correct(self, value):
        incoming = self.comm.irecv(source=self.down, tag=11)
        self.comm.send(value, dest=self.up, tag=11)
        other = incoming.wait()
        return 0.5 * (value + other)


def v_cycle(comm):
    level = Level(comm)
    return level.correct(float(comm.rank))


v_cycle(MPI.COMM_WORLD)
if MPI.COMM_WORLD.rank == 0:
    print("corrected", flush=True)
