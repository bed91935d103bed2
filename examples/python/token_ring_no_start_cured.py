# standoff: title: cured: rank 0 puts the token in
# standoff: ranks: 5
# standoff: expect: clean
# standoff: stdout: the token went round: 0 1 2 3 4
from mpi4py import MPI


def pass_on(comm, token):
    token.append(comm.rank)
    comm.send(token, dest=(comm.rank + 1) % comm.size)


def take(comm):
    return comm.recv(source=(comm.rank - 1) % comm.size)


def main():
    comm = MPI.COMM_WORLD
    if comm.rank == 0:
        pass_on(comm, [])
    token = take(comm)
    if comm.rank != 0:
        pass_on(comm, token)
    if comm.rank == 0:
        print("the token went round:", *token, flush=True)


main()
