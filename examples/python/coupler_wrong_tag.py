# standoff: title: ocean and atmosphere use different tags for the same flux
# standoff: ranks: 2
# standoff: expect: deadlock
# standoff: core: 0, 1
# standoff: cured: coupler_wrong_tag_cured
# standoff: text: tag
from mpi4py import MPI

TAGS = {"sst": 10, "wind": 20}


class Ocean:
    def __init__(self, comm):
        self.comm = comm

    def couple(self):
        self.comm.send(285.5, dest=1, tag=TAGS["sst"])
        return self.comm.recv(source=1, tag=TAGS["wind"])  # @core 0


class Atmosphere:
    def __init__(self, comm):
        self.comm = comm

    def couple(self):
        sst = self.comm.recv(source=0, tag=TAGS["sst"] + 1)  # @core 1
        self.comm.send(sst / 100, dest=0, tag=TAGS["wind"])


def main():
    comm = MPI.COMM_WORLD
    model = Ocean(comm) if comm.rank == 0 else Atmosphere(comm)
    for _ in range(3):
        model.couple()
    if comm.rank == 0:
        print("coupled 3 times", flush=True)


main()
