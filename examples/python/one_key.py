# standoff: title: a server lends one key to whoever asks first, and keeps a queue of the others
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: both had the key
# standoff: check: clean
#
# What the server does depends on which request comes first, and in every order
# each client gets the key in the end.
from mpi4py import MPI

ASK, BACK, KEY = 1, 2, 3
comm = MPI.COMM_WORLD
status = MPI.Status()
if comm.rank == 0:
    holder, queue, back = None, [], 0
    while back < comm.size - 1:
        comm.recv(source=MPI.ANY_SOURCE, tag=MPI.ANY_TAG, status=status)
        if status.tag == ASK:
            queue.append(status.source)
        else:
            holder = None
            back += 1
        if holder is None and queue:
            holder = queue.pop(0)
            comm.send("key", dest=holder, tag=KEY)
    print("both had the key")
else:
    comm.send(None, dest=0, tag=ASK)
    comm.recv(source=0, tag=KEY)
    comm.send(None, dest=0, tag=BACK)
