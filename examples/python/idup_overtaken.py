# standoff: title: on a communicator from Idup, the root of a broadcast leaves it early and is first at a wildcard
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: rank 2 has go and result
# standoff: cured: idup_overtaken_cured
# standoff: check: potential-deadlock
# standoff: check-left: 0
from array import array
from mpi4py import MPI

comm, request = MPI.COMM_WORLD.Idup()
request.Wait()
step = array("i", [comm.rank])
if comm.rank == 1:
    comm.send("go", dest=2)
    comm.send("go", dest=0)
elif comm.rank == 0:
    comm.recv(source=1)
else:
    first = comm.recv(source=MPI.ANY_SOURCE)
comm.Bcast(step, root=0)
if comm.rank == 0:
    comm.send("result", dest=2)
elif comm.rank == 2:
    print("rank 2 has", first, "and", comm.recv(source=0))  # @check 2
