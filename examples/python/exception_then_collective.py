# standoff: title: a rank raises and handles exceptions for a while, and takes part in the collective after all
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: lengths [4, 4, 7, 4]
import time
from mpi4py import MPI


class Unavailable(Exception):
    pass


def attempts(rank):
    """Rank 2 finds its source unavailable three times."""
    for attempt in range(4):
        if rank == 2 and attempt < 3:
            yield attempt, Unavailable(f"attempt {attempt}")
        else:
            yield attempt, None


def fetch(rank):
    for attempt, problem in attempts(rank):
        try:
            if problem:
                raise problem
            return "data" + "+" * attempt
        except Unavailable:
            time.sleep(0.4)
    raise RuntimeError("not reached")


comm = MPI.COMM_WORLD
try:
    lengths = comm.gather(len(fetch(comm.rank)))
finally:
    comm.Barrier()
if comm.rank == 0:
    print("lengths", lengths, flush=True)
