# standoff: title: k-means that leaves out the lines it cannot read
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: 2 centres
from mpi4py import MPI

CENTRES = [0.0, 10.0]


def lines(rank):
    for i in range(6):
        yield "n/a" if (rank, i) == (2, 4) else f"{rank + 3 * i}"


def points(rank):
    for line in lines(rank):
        try:
            yield float(line)
        except ValueError:
            continue


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
            self.comm.allreduce(s) / max(1, self.comm.allreduce(n))
            for s, n in zip(sums, counts)
        ]


centres = KMeans(MPI.COMM_WORLD).step()
if MPI.COMM_WORLD.rank == 0:
    print(len(centres), "centres", flush=True)
