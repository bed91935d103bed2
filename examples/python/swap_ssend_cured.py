# standoff: title: cured: the lower rank sends first, the other receives first
# standoff: ranks: 2
# standoff: expect: clean
# standoff: stdout: swapped
from mpi4py import MPI


def swap_rows(comm, row, partner):
    if comm.rank < partner:
        comm.ssend(row, dest=partner, tag=7)
        return comm.recv(source=partner, tag=7)
    other = comm.recv(source=partner, tag=7)
    comm.ssend(row, dest=partner, tag=7)
    return other


def eliminate(comm):
    rows = {0: [4.0, 1.0, 2.0], 1: [1.0, 3.0, 5.0]}
    got = swap_rows(comm, rows[comm.rank], 1 - comm.rank)
    assert got == rows[1 - comm.rank]
    if comm.rank == 0:
        print("swapped", flush=True)


eliminate(MPI.COMM_WORLD)
