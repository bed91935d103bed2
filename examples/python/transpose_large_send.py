# standoff: title: a block transpose in which both ranks first send 4 MB in standard mode
# standoff: ranks: 2
# standoff: expect: deadlock
# standoff: core: 0, 1
# standoff: cured: transpose_large_send_cured
# standoff: text: Send
#
# A standard send may be buffered. Blocks of this size are not, on any MPI known.
from mpi4py import MPI

BLOCK = 4 * 1024 * 1024


def swap_block(comm, mine, partner):
    theirs = bytearray(BLOCK)
    comm.Send(mine, dest=partner)  # @core 0, 1
    comm.Recv(theirs, source=partner)
    return theirs


def transpose(comm):
    upper = bytearray([comm.rank + 1]) * BLOCK
    upper = swap_block(comm, upper, 1 - comm.rank)
    assert upper[0] == upper[-1] == 2 - comm.rank


def main():
    comm = MPI.COMM_WORLD
    transpose(comm)
    if comm.rank == 0:
        print("transposed", flush=True)


main()
