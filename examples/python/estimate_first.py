# standoff: title: a collector takes the first estimate from anybody and then waits for rank 2
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: estimates 1 and 2
# standoff: cured: estimate_first_cured
# standoff: check: potential-deadlock
#
# Rank 1 reports and then wakes rank 2, so that its report is mostly there first.
# MPI promises no order between messages of two ranks.
from mpi4py import MPI

comm = MPI.COMM_WORLD
if comm.rank == 0:
    first = comm.recv(source=MPI.ANY_SOURCE, tag=1)
    second = comm.recv(source=2, tag=1)  # @check 0
    print("estimates", first, "and", second)
elif comm.rank == 1:
    comm.send(1, dest=0, tag=1)
    comm.send(None, dest=2, tag=2)
else:
    comm.recv(source=1, tag=2)
    comm.send(2, dest=0, tag=1)
# standoff: check-left: 2
