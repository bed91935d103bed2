# standoff: title: a destructor with a barrier runs on all ranks but the one that keeps the object
# standoff: ranks: 3
# standoff: expect: deadlock
# standoff: core: 0-2
# standoff: cured: destructor_barrier_cured
# standoff: text: in a destructor (__del__ at
# standoff: text: what is called then must not communicate
from mpi4py import MPI


class Field:
    """A distributed field; all ranks give it up together."""

    def __init__(self, comm, size):
        self.comm = comm.Dup()
        self.values = [float(comm.rank)] * size

    def norm(self):
        return sum(v * v for v in self.values)

    def __del__(self):
        self.comm.Barrier()  # @core 1-2
        self.comm.Free()


def step(comm, kept):
    field = Field(comm, 8)
    if comm.rank == 0:
        kept.append(field)  # for a plot
    result = field.norm()
    return result


def main():
    comm = MPI.COMM_WORLD
    kept = []
    residual = comm.allreduce(step(comm, kept))  # @core 0
    if comm.rank == 0:
        print("residual", residual, flush=True)


main()
