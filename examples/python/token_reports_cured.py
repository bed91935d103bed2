# standoff: title: the collector names whose report it takes
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: reports 1 2 3
# standoff: check: clean
from mpi4py import MPI

REPORT, TOKEN, TAKEN, DETAIL = 1, 2, 3, 4
comm = MPI.COMM_WORLD
if comm.rank == 0:
    reports = []
    for rank in range(1, comm.size):
        report = comm.recv(source=rank, tag=REPORT)
        comm.send(None, dest=report, tag=TAKEN)
        reports.append(report)
        comm.recv(source=rank, tag=DETAIL)
    print("reports", *reports)
else:
    if comm.rank > 1:
        comm.recv(source=comm.rank - 1, tag=TOKEN)
    comm.send(comm.rank, dest=0, tag=REPORT)
    if comm.rank < comm.size - 1:
        comm.send(None, dest=comm.rank + 1, tag=TOKEN)
    comm.recv(source=0, tag=TAKEN)
    comm.send("detail", dest=0, tag=DETAIL)
