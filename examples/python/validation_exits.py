# standoff: title: a rank finds its part of the settings wrong and exits with a message
# standoff: ranks: 3
# standoff: expect: deadlock
# standoff: core: 0, 1
# standoff: left: 2
# standoff: cured: validation_exits_cured
# standoff: text: rank 2
import sys
from dataclasses import dataclass
from mpi4py import MPI


@dataclass
class Settings:
    speed: float
    dx: float
    dt: float

    def validate(self):
        if self.speed * self.dt > self.dx:
            sys.exit(f"time step {self.dt} is unstable")
        return self


def main():
    comm = MPI.COMM_WORLD
    settings = Settings(speed=1.0 + comm.rank, dx=1.0, dt=0.5).validate()
    slowest = comm.allreduce(settings.dt, op=MPI.MIN)  # @core 0, 1
    if comm.rank == 0:
        print("step", slowest, flush=True)


main()
