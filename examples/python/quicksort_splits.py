# standoff: title: quicksort that splits its communicator again and again; some ranks are done long before others
# standoff: ranks: 8
# standoff: expect: clean
# standoff: stdout: sorted True
import random
import time
from mpi4py import MPI


def sort(comm, numbers):
    if comm.size == 1:
        if MPI.COMM_WORLD.rank == 5:
            time.sleep(1)
        return sorted(numbers)
    pivots = comm.allgather(sorted(numbers)[len(numbers) // 2] if numbers else None)
    pivots = sorted(p for p in pivots if p is not None)
    pivot = pivots[len(pivots) // 2] if pivots else 0
    half = comm.size // 2
    low = comm.rank < half
    keep = [n for n in numbers if (n < pivot) == low]
    give = [n for n in numbers if (n < pivot) != low]
    partner = comm.rank + half if low else comm.rank - half
    keep += comm.sendrecv(give, dest=partner, source=partner)
    part = comm.Split(low, comm.rank)
    try:
        return sort(part, keep)
    finally:
        part.Free()


world = MPI.COMM_WORLD
generator = random.Random(world.rank)
mine = sort(world, [generator.randrange(10_000) for _ in range(200)])
parts = world.gather(mine)
if world.rank == 0:
    everything = [n for part in parts for n in part]
    print("sorted", everything == sorted(everything) and len(everything) == 1600, flush=True)
