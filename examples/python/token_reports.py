# standoff: title: a token goes round, each rank reports when it has it, and the collector counts on that order
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: reports 1 2 3
# standoff: cured: token_reports_cured
# standoff: check: potential-deadlock
#
# After the first report the collector wants the details of rank 1, after the
# second those of rank 2. A rank sends them when its report was acknowledged.
from mpi4py import MPI

REPORT, TOKEN, TAKEN, DETAIL = 1, 2, 3, 4
comm = MPI.COMM_WORLD
if comm.rank == 0:
    reports = []
    for rank in range(1, comm.size):
        report = comm.recv(source=MPI.ANY_SOURCE, tag=REPORT)
        comm.send(None, dest=report, tag=TAKEN)
        reports.append(report)
        comm.recv(source=rank, tag=DETAIL)  # @check 0
    print("reports", *reports)
else:
    if comm.rank > 1:
        comm.recv(source=comm.rank - 1, tag=TOKEN)
    comm.send(comm.rank, dest=0, tag=REPORT)
    if comm.rank < comm.size - 1:
        comm.send(None, dest=comm.rank + 1, tag=TOKEN)
    comm.recv(source=0, tag=TAKEN)  # @check 2
    comm.send("detail", dest=0, tag=DETAIL)
