# standoff: title: the object is closed on all ranks at the same line, and not by its destructor
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: residual 40.0
from mpi4py import MPI


class Field:
    """A distributed field; all ranks give it up together."""

    def __init__(self, comm, size):
        self.comm = comm.Dup()
        self.values = [float(comm.rank)] * size

    def norm(self):
        return sum(v * v for v in self.values)

    def close(self):
        self.comm.Barrier()
        self.comm.Free()


def step(comm, kept):
    field = Field(comm, 8)
    if comm.rank == 0:
        kept.append(field)  # for a plot
    result = field.norm()
    field.close()
    return result


def main():
    comm = MPI.COMM_WORLD
    kept = []
    residual = comm.allreduce(step(comm, kept))
    if comm.rank == 0:
        print("residual", residual, flush=True)


main()
