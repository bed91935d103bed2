# standoff: title: a leaf's part in a nonblocking reduction is done before the root begins it, and its next message is first at a wildcard
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: sum 3, details a1
# standoff: cured: ireduce_leaf_ahead_cured
# standoff: check: potential-deadlock
# standoff: check-left: 1
#
# The root collects one note of each worker from anybody, then they reduce, then
# it asks one of them for details. A worker that has given its number away may
# send its details while the other's note is still under way. With so many
# numbers no library at hand lets it.
from array import array
from mpi4py import MPI

comm = MPI.COMM_WORLD
mine, total = array("i", [comm.rank]) * 200_000, array("i", [0]) * 200_000
if comm.rank == 0:
    for _ in (1, 2):
        comm.recv(source=MPI.ANY_SOURCE)
elif comm.rank == 2:
    comm.send("note", dest=0)
    comm.send("mine is sent", dest=1)
else:
    comm.send("note", dest=0)
    comm.recv(source=2)
request = comm.Ireduce(mine, total, root=0)
request.Wait()
if comm.rank == 0:
    details = comm.recv(source=1)  # @check 0
    print(f"sum {total[0]}, details", details)
elif comm.rank == 1:
    comm.send("a1", dest=0)
