# standoff: title: cured: both use the same table of tags
# standoff: ranks: 2
# standoff: expect: clean
# standoff: stdout: coupled 3 times
from mpi4py import MPI

TAGS = {"sst": 10, "wind": 20}


class Ocean:
    def __init__(self, comm):
        self.comm = comm

    def couple(self):
        self.comm.send(285.5, dest=1, tag=TAGS["sst"])
        return self.comm.recv(source=1, tag=TAGS["wind"])


class Atmosphere:
    def __init__(self, comm):
        self.comm = comm

    def couple(self):
        sst = self.comm.recv(source=0, tag=TAGS["sst"])
        self.comm.send(sst / 100, dest=0, tag=TAGS["wind"])


def main():
    comm = MPI.COMM_WORLD
    model = Ocean(comm) if comm.rank == 0 else Atmosphere(comm)
    for _ in range(3):
        model.couple()
    if comm.rank == 0:
        print("coupled 3 times", flush=True)


main()
