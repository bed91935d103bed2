# standoff: title: cured: the rank without data takes part in the barrier
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: checkpoint complete
from mpi4py import MPI


class Checkpoint:
    def __init__(self, comm):
        self.comm = comm
        self.pieces = {}

    def collect(self, cells):
        self.pieces.update((c, c * 0.5) for c in cells)

    def write(self):
        if self.pieces:
            self.flush()
        self.comm.Barrier()
        if self.comm.rank == 0:
            print("checkpoint complete", flush=True)

    def flush(self):
        return repr(sorted(self.pieces.items()))


def main():
    comm = MPI.COMM_WORLD
    cells = [] if comm.rank == 2 else range(comm.rank, 64, comm.size)
    checkpoint = Checkpoint(comm)
    checkpoint.collect(cells)
    checkpoint.write()


main()
