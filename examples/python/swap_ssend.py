# standoff: title: two ranks swap their pivot rows with ssend on both sides
# standoff: ranks: 2
# standoff: expect: deadlock
# standoff: core: 0, 1
# standoff: cured: swap_ssend_cured
# standoff: text: ssend
from mpi4py import MPI


def swap_rows(comm, row, partner):
    comm.ssend(row, dest=partner, tag=7)  # @core 0, 1
    return comm.recv(source=partner, tag=7)


def eliminate(comm):
    rows = {0: [4.0, 1.0, 2.0], 1: [1.0, 3.0, 5.0]}
    got = swap_rows(comm, rows[comm.rank], 1 - comm.rank)
    assert got == rows[1 - comm.rank]
    if comm.rank == 0:
        print("swapped", flush=True)


eliminate(MPI.COMM_WORLD)
