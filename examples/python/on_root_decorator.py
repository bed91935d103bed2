# standoff: title: a decorator lets only rank 0 into a function that holds a collective
# standoff: ranks: 4
# standoff: expect: deadlock
# standoff: core: 0
# standoff: left: 1-3
# standoff: cured: on_root_decorator_cured
# standoff: text: comm.gather
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

    @on_root
    def write(self):
        means = comm.gather(self.mean, root=0)  # @core 0
        print("means", means, flush=True)


Report([comm.rank + 1.0, comm.rank + 3.0]).write()
