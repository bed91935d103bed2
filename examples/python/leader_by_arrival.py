# standoff: title: who registers first is told to lead, and only rank 1 expects that
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: leader 1
# standoff: cured: leader_by_arrival_cured
# standoff: check: potential-deadlock
#
# What rank 0 does depends on whom it heard. Only a run in which rank 2
# registers first shows it.
from mpi4py import MPI

REGISTER, LEAD, DONE = 1, 2, 3
comm = MPI.COMM_WORLD
if comm.rank == 0:
    status = MPI.Status()
    comm.recv(source=MPI.ANY_SOURCE, tag=REGISTER, status=status)
    leader = status.Get_source()
    comm.send("lead", dest=leader, tag=LEAD)
    for _ in range(2):
        comm.recv(source=MPI.ANY_SOURCE, tag=REGISTER)
    comm.recv(source=leader, tag=DONE)  # @check 0
    print("leader", leader)
else:
    if comm.rank > 1:
        comm.recv(source=comm.rank - 1, tag=REGISTER)
    comm.send(None, dest=0, tag=REGISTER)
    if comm.rank < 3:
        comm.send(None, dest=comm.rank + 1, tag=REGISTER)
    if comm.rank == 1:
        comm.recv(source=0, tag=LEAD)
        comm.send("done", dest=0, tag=DONE)
# standoff: check-left: 3
