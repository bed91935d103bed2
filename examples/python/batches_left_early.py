# standoff: title: a generator ends with a barrier in `finally`, and one rank leaves its loop early
# standoff: ranks: 4
# standoff: expect: deadlock
# standoff: core: 0-3
# standoff: cured: batches_left_early_cured
# standoff: text: Rank 0 is cleaning up after a generator that was closed early.
# standoff: text: rank 0 was there twice
from mpi4py import MPI

comm = MPI.COMM_WORLD


def batches(n):
    """The numbers of the batches; the files are closed when all are through."""
    try:
        yield from range(n)
    finally:
        comm.Barrier()  # @core 0


def first_large(values):
    for k in batches(len(values)):
        # What is large enough for one rank need not be for another.
        if values[k] > 10 * (comm.rank + 1):
            return k
        comm.Allreduce(MPI.IN_PLACE, bytearray(8))  # @core 1-3
    return None


found = first_large([3, 7, 12, 19, 25])
print("rank", comm.rank, "found", found)
