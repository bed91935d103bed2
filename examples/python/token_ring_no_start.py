# standoff: title: token ring in which every rank waits for the token and nobody starts it
# standoff: ranks: 5
# standoff: expect: deadlock
# standoff: core: 0-4
# standoff: cured: token_ring_no_start_cured
# standoff: text: recv
from mpi4py import MPI


def pass_on(comm, token):
    token.append(comm.rank)
    comm.send(token, dest=(comm.rank + 1) % comm.size)


def take(comm):
    return comm.recv(source=(comm.rank - 1) % comm.size)  # @core 0-4


def main():
    comm = MPI.COMM_WORLD
    token = take(comm)
    pass_on(comm, token)
    if comm.rank == 0:
        print("the token went round:", *token, flush=True)


main()
