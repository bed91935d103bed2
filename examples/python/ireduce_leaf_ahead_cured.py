# standoff: title: notes and details have tags of their own, so that the details of a quick worker wait
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: sum 3, details a1
# standoff: check: clean
from array import array
from mpi4py import MPI

comm = MPI.COMM_WORLD
mine, total = array("i", [comm.rank]) * 200_000, array("i", [0]) * 200_000
if comm.rank == 0:
    for _ in (1, 2):
        comm.recv(source=MPI.ANY_SOURCE, tag=1)
elif comm.rank == 2:
    comm.send("note", dest=0, tag=1)
    comm.send("mine is sent", dest=1)
else:
    comm.send("note", dest=0, tag=1)
    comm.recv(source=2)
request = comm.Ireduce(mine, total, root=0)
request.Wait()
if comm.rank == 0:
    details = comm.recv(source=1, tag=2)
    print(f"sum {total[0]}, details", details)
elif comm.rank == 1:
    comm.send("a1", dest=0, tag=2)
