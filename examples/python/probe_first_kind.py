# standoff: title: a writer probes what comes first, a table or a goodbye, and believes it knows from whom
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: table of 3
# standoff: cured: probe_first_kind_cured
# standoff: check: potential-deadlock
from mpi4py import MPI

TABLE, BYE = 1, 2
comm = MPI.COMM_WORLD
if comm.rank == 0:
    status = MPI.Status()
    comm.Probe(source=MPI.ANY_SOURCE, tag=MPI.ANY_TAG, status=status)
    if status.Get_tag() == TABLE:
        table = comm.recv(source=1, tag=TABLE)
        comm.recv(source=2, tag=BYE)
        print("table of", len(table))
    else:
        # Rank 1 has had nothing to say.
        comm.recv(source=1, tag=BYE)  # @check 0
elif comm.rank == 1:
    comm.send([1, 2, 3], dest=0, tag=TABLE)
    comm.send(None, dest=2, tag=BYE)
else:
    comm.recv(source=1, tag=BYE)
    comm.send(None, dest=0, tag=BYE)
# standoff: check-left: 1
