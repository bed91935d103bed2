# standoff: title: the gather is outside of it
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: means [2.0, 3.0, 4.0, 5.0]
import functools
from mpi4py import MPI

comm = MPI.COMM_WORLD


def on_root(function):
    @functools.wraps(function)
    def call(*args, **kwargs):
        return function(*args, **kwargs) if comm.rank == 0 else None

    return call


class Report:
    def __init__(self, losses):
        self.losses = losses

    @property
    def mean(self):
        return sum(self.losses) / len(self.losses)

    def write(self):
        self.show(comm.gather(self.mean, root=0))

    @on_root
    def show(self, means):
        print("means", means, flush=True)


Report([comm.rank + 1.0, comm.rank + 3.0]).write()
