# standoff: title: a receive into a small buffer fails, is caught, and the sender is asked for the field again
# standoff: ranks: 3
# standoff: expect: clean
import numpy as np
from mpi4py import MPI

FIELD, AGAIN = 3, 4


def serve(comm, field):
    """Sends the field to each client, and again to those that ask."""
    for client in range(1, comm.size):
        comm.Send(field, dest=client, tag=FIELD)
    for client in range(1, comm.size):
        while comm.recv(source=client, tag=AGAIN):
            comm.Send(field, dest=client, tag=FIELD)


def fetch(comm):
    room = 8
    while True:
        field = np.empty(room)
        try:
            status = MPI.Status()
            comm.Recv(field, source=0, tag=FIELD, status=status)
        except MPI.Exception as error:
            assert error.Get_error_class() == MPI.ERR_TRUNCATE
            comm.send(True, dest=0, tag=AGAIN)
            room *= 4
            continue
        comm.send(False, dest=0, tag=AGAIN)
        return field[: status.Get_count(MPI.DOUBLE)]


comm = MPI.COMM_WORLD
if comm.rank == 0:
    serve(comm, np.arange(100.0))
    total = 0.0
else:
    total = fetch(comm).sum()
print("sum", comm.allreduce(total), flush=True)
