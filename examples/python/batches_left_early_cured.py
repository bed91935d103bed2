# standoff: title: a generator ends with a barrier in `finally`, and all ranks leave its loop in the same round
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: rank 0 found 2
from mpi4py import MPI

comm = MPI.COMM_WORLD


def batches(n):
    """The numbers of the batches; the files are closed when all are through."""
    try:
        yield from range(n)
    finally:
        comm.Barrier()


def first_large(values):
    for k in batches(len(values)):
        # Large enough for anybody is large enough for all.
        if comm.allreduce(values[k] > 10 * (comm.rank + 1), op=MPI.LOR):
            return k
        comm.Allreduce(MPI.IN_PLACE, bytearray(8))
    return None


found = first_large([3, 7, 12, 19, 25])
print("rank", comm.rank, "found", found)
