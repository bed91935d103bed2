# standoff: title: a rank that finds no input ends with quit(), the others go on to distribute what there is
# standoff: ranks: 5
# standoff: expect: deadlock
# standoff: core: 0-2, 4
# standoff: left: 3
# standoff: cured: input_quits_cured
# standoff: text: which raised SystemExit('no spectra for station 3')
# standoff: text: input_quits.py:22
#
# Each rank looks after one station, and reads its spectra. A station without any has nothing to do, or so it seems.
from mpi4py import MPI

comm = MPI.COMM_WORLD
SPECTRA = {0: [3, 1], 1: [4], 2: [1, 5, 9], 4: [2]}


def spectra(station):
    """The spectra of a station."""
    found = SPECTRA.get(station, [])
    if not found:
        # What one types in a notebook works in a script as well.
        quit(f"no spectra for station {station}")
    return found


mine = spectra(comm.rank)
lengths = comm.allgather(len(mine))  # @core 0-2, 4
if comm.rank == 0:
    print("spectra", sum(lengths))
