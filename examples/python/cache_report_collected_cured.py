# standoff: title: statistics of a cache are reduced at a fixed place, and the callback of the garbage collection only counts
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: largest 50000 collections 1
import gc

from mpi4py import MPI

comm = MPI.COMM_WORLD


class Cache:
    def __init__(self):
        self.tables = []
        self.collections = 0
        gc.callbacks.append(self.report)

    def report(self, phase, info):
        if phase == "stop":
            self.collections += 1

    def fill(self, n):
        self.tables += [[k] for k in range(n)]


gc.disable()
cache = Cache()
cache.fill(50_000 if comm.rank == 2 else 10)
if len(cache.tables) > 1000:
    gc.collect()
largest = comm.allreduce(len(cache.tables), op=MPI.MAX)
collections = comm.allreduce(cache.collections)
if comm.rank == 0:
    print("largest", largest, "collections", collections)
gc.callbacks.clear()
