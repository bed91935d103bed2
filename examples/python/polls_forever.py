# standoff: title: a rank polls with iprobe for a message that nobody sends
# standoff: ranks: 3
# standoff: expect: stalled
# standoff: core: 0
# standoff: left: 1-2
#
# A heuristic verdict: a polling loop might do anything next. All others have left.
from mpi4py import MPI


def poll(comm):
    while not comm.iprobe(source=MPI.ANY_SOURCE, tag=9):  # @core 0
        pass
    return comm.recv(source=MPI.ANY_SOURCE, tag=9)


def main():
    comm = MPI.COMM_WORLD
    if comm.rank == 0:
        poll(comm)


main()
