# standoff: title: a rank that finds no input takes part with nothing, and another quits after the last collective
# standoff: ranks: 5
# standoff: expect: clean
# standoff: stdout: spectra 7
#
# An exit that is caught, and one at the very end, are no mistakes.
from mpi4py import MPI

comm = MPI.COMM_WORLD
SPECTRA = {0: [3, 1], 1: [4], 2: [1, 5, 9], 4: [2]}


def spectra(station):
    """The spectra of a station."""
    found = SPECTRA.get(station, [])
    if not found:
        quit(f"no spectra for station {station}")
    return found


try:
    mine = spectra(comm.rank)
except SystemExit:
    mine = []
lengths = comm.allgather(len(mine))
if comm.rank == 0:
    print("spectra", sum(lengths))
if comm.rank == 2:
    raise SystemExit
