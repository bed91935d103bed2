# standoff: title: statistics of a cache are reduced whenever Python has collected garbage, which each rank does when it sees fit
# standoff: ranks: 4
# standoff: expect: deadlock
# standoff: core: 0-3
# standoff: cured: cache_report_collected_cured
# standoff: text: Rank 2 is in a callback of the garbage collection (report at
# standoff: text: must not communicate
#
# The callback is meant as a cheap hook "now and then". The rank with the largest tables collects first.
import gc

from mpi4py import MPI

comm = MPI.COMM_WORLD


class Cache:
    def __init__(self):
        self.tables = []
        gc.callbacks.append(self.report)

    def report(self, phase, info):
        if phase == "stop":
            comm.Barrier()  # @core 2

    def fill(self, n):
        self.tables += [[k] for k in range(n)]


gc.disable()
cache = Cache()
cache.fill(50_000 if comm.rank == 2 else 10)
if len(cache.tables) > 1000:
    gc.collect()
largest = comm.allreduce(len(cache.tables), op=MPI.MAX)  # @core 0, 1, 3
if comm.rank == 0:
    print("largest", largest)
