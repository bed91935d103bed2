# standoff: title: two ranks each receive before they send
# standoff: ranks: 9
# standoff: expect: deadlock
# standoff: core: 1, 5
# standoff: cured: opening_swapped, opening_sendrecv
# standoff: text: comm.recv
#
# The other seven ranks have nothing to do and sit in MPI_Finalize.
from mpi4py import MPI
comm = MPI.COMM_WORLD
if comm.rank == 1:
    got = comm.recv(source=5); comm.send("a", dest=5)  # @core 1
if comm.rank == 5:
    got = comm.recv(source=1); comm.send("b", dest=1)  # @core 5
