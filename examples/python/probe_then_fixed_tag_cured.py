# standoff: title: it receives what it has probed
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: served 3
from mpi4py import MPI

ORDER, BYE = 1, 2


def serve(comm, clients):
    served, status = 0, MPI.Status()
    while clients:
        comm.Probe(MPI.ANY_SOURCE, MPI.ANY_TAG, status)
        order = comm.recv(source=status.source, tag=status.tag)
        comm.send(order.upper(), dest=status.source)
        if status.tag == BYE:
            clients -= 1
        served += 1
    return served


def client(comm, orders):
    for order in orders:
        comm.send(order, dest=0, tag=ORDER)
        comm.recv(source=0)
    if comm.rank == 2:
        comm.ssend("thanks", dest=0, tag=BYE)
        comm.recv(source=0)


comm = MPI.COMM_WORLD
if comm.rank == 0:
    print("served", serve(comm, clients=1), flush=True)
elif comm.rank == 2:
    client(comm, ["tea", "cake"])
comm.Barrier()
