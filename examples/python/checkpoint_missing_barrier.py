# standoff: title: a checkpoint writer with nothing to write returns before the barrier
# standoff: ranks: 4
# standoff: expect: deadlock
# standoff: core: 0-1, 3
# standoff: left: 2
# standoff: cured: checkpoint_missing_barrier_cured
# standoff: text: Barrier
from mpi4py import MPI


class Checkpoint:
    def __init__(self, comm):
        self.comm = comm
        self.pieces = {}

    def collect(self, cells):
        self.pieces.update((c, c * 0.5) for c in cells)

    def write(self):
        if not self.pieces:
            return
        self.flush()
        self.comm.Barrier()  # @core 0-1, 3
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
