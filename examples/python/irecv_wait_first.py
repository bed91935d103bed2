# standoff: title: three subdomains wait for their receives before they send
# standoff: ranks: 3
# standoff: expect: deadlock
# standoff: core: 0-2
# standoff: cured: irecv_wait_first_cured
from mpi4py import MPI


class Level:
    """One level of a multigrid cycle on a ring of subdomains."""

    def __init__(self, comm):
        self.comm = comm
        self.up = (comm.rank + 1) % comm.size
        self.down = (comm.rank - 1) % comm.size

    def correct(self, value):
        incoming = self.comm.irecv(source=self.down, tag=11)
        other = incoming.wait()  # @core 0-2
        self.comm.send(value, dest=self.up, tag=11)
        return 0.5 * (value + other)


def v_cycle(comm):
    level = Level(comm)
    return level.correct(float(comm.rank))


v_cycle(MPI.COMM_WORLD)
if MPI.COMM_WORLD.rank == 0:
    print("corrected", flush=True)
