# standoff: title: the coordinator of an ensemble does not take part in Split
# standoff: ranks: 5
# standoff: expect: deadlock
# standoff: core: 0, 1
# standoff: victims: 2-4
# standoff: cured: ensemble_split_missing_cured
# standoff: text: Split
from mpi4py import MPI


def coordinator(comm):
    reports = comm.recv(source=1)  # @core 0
    print("members reported", reports, flush=True)


def member(comm):
    team = comm.Split(comm.rank % 2, comm.rank)  # @core 1
    energy = team.allreduce(1)
    if comm.rank == 1:
        comm.send(energy + 1, dest=0)


def main():
    comm = MPI.COMM_WORLD
    if comm.rank == 0:
        coordinator(comm)
    else:
        member(comm)


main()
