# standoff: title: k-means in which a generator meets a bad line on one rank and raises
# standoff: ranks: 4
# standoff: expect: deadlock
# standoff: core: 0, 1, 3
# standoff: left: 2
# standoff: cured: kmeans_bad_point_cured
# standoff: text: ValueError: could not convert string to float: 'n/a'
from mpi4py import MPI

CENTRES = [0.0, 10.0]


def lines(rank):
    for i in range(6):
        yield "n/a" if (rank, i) == (2, 4) else f"{rank + 3 * i}"


def points(rank):
    for line in lines(rank):
        yield float(line)


class KMeans:
    def __init__(self, comm):
        self.comm = comm

    def nearest(self, x):
        return min(range(len(CENTRES)), key=lambda c: abs(x - CENTRES[c]))

    def step(self):
        sums, counts = [0.0, 0.0], [0, 0]
        for x in points(self.comm.rank):
            c = self.nearest(x)
            sums[c] += x
            counts[c] += 1
        return [
            self.comm.allreduce(s) / max(1, self.comm.allreduce(n))  # @core 0, 1, 3
            for s, n in zip(sums, counts)
        ]


centres = KMeans(MPI.COMM_WORLD).step()
if MPI.COMM_WORLD.rank == 0:
    print(len(centres), "centres", flush=True)
