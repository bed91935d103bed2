# standoff: title: cured: the coordinator calls Split with an undefined colour
# standoff: ranks: 5
# standoff: expect: clean
# standoff: stdout: members reported 3
from mpi4py import MPI


def coordinator(comm):
    comm.Split(MPI.UNDEFINED, 0)
    reports = comm.recv(source=1)
    print("members reported", reports, flush=True)


def member(comm):
    team = comm.Split(comm.rank % 2, comm.rank)
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
