# standoff: title: the opening example half cured: both sides send first
# standoff: ranks: 9
# standoff: expect: clean
# standoff: stdout: rank 1 got b
# standoff: cured: opening_swapped, opening_sendrecv
# standoff: check: potential-deadlock
# standoff: check-text: standard send
#
# This passes only because the messages are small and MPI buffers them. It is
# not wrong in this run; another message size or another MPI makes it hang.
from mpi4py import MPI
comm = MPI.COMM_WORLD
if comm.rank == 1:
    comm.send("a", dest=5); got = comm.recv(source=5)  # @check 1
    print("rank 1 got", got, flush=True)
if comm.rank == 5:
    comm.send("b", dest=1); got = comm.recv(source=1)  # @check 5
