# standoff: title: events have a tag of their own, reports are received by name
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: event 7, reports [10, 20, 30]
# standoff: check: clean
from mpi4py import MPI

comm = MPI.COMM_WORLD
EVENT, GO, REPORT = 1, 2, 3

if comm.rank == 0:
    event = comm.irecv(source=MPI.ANY_SOURCE, tag=EVENT)
    # The monitor on rank 3 speaks first, as a rule: the others wait for its word.
    reports = [comm.recv(source=worker, tag=REPORT) for worker in (1, 2, 3)]
    print(f"event {event.wait()}, reports {reports}")
else:
    if comm.rank == 3:
        comm.send(7, dest=0, tag=EVENT)
        for worker in (1, 2):
            comm.send(None, dest=worker, tag=GO)
    else:
        comm.recv(source=3, tag=GO)
    comm.send(10 * comm.rank, dest=0, tag=REPORT)
