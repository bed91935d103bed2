# standoff: title: all are told who leads
# standoff: ranks: 4
# standoff: expect: clean
# standoff: check: clean
from mpi4py import MPI

REGISTER, LEAD, DONE = 1, 2, 3
comm = MPI.COMM_WORLD
if comm.rank == 0:
    status = MPI.Status()
    comm.recv(source=MPI.ANY_SOURCE, tag=REGISTER, status=status)
    leader = status.Get_source()
    for _ in range(2):
        comm.recv(source=MPI.ANY_SOURCE, tag=REGISTER)
    for rank in range(1, comm.size):
        comm.send(leader, dest=rank, tag=LEAD)
    comm.recv(source=leader, tag=DONE)
    print("leader", leader)
else:
    if comm.rank > 1:
        comm.recv(source=comm.rank - 1, tag=REGISTER)
    comm.send(None, dest=0, tag=REGISTER)
    if comm.rank < 3:
        comm.send(None, dest=comm.rank + 1, tag=REGISTER)
    if comm.recv(source=0, tag=LEAD) == comm.rank:
        comm.send("done", dest=0, tag=DONE)
