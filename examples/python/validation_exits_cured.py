# standoff: title: the ranks agree whether all is well before they go on
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: step 0.5
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
            return False
        return True


def main():
    comm = MPI.COMM_WORLD
    settings = Settings(speed=1.0 / (1 + comm.rank), dx=1.0, dt=0.5)
    if not comm.allreduce(settings.validate(), op=MPI.LAND):
        sys.exit(f"time step {settings.dt} is unstable")
    slowest = comm.allreduce(settings.dt, op=MPI.MIN)
    if comm.rank == 0:
        print("step", slowest, flush=True)


main()
