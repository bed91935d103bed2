# standoff: title: a server that sends every reply to who asked
# standoff: ranks: 4
# standoff: expect: clean
from mpi4py import MPI

REQUEST, REPLY = 1, 100
comm = MPI.COMM_WORLD


def serve(clients):
    status = MPI.Status()
    for n in range(clients):
        question = comm.recv(source=n + 1, tag=REQUEST, status=status)
        client = status.Get_source()
        comm.send(question * 2, dest=client, tag=REPLY + client)


def ask(question):
    comm.send(question, dest=0, tag=REQUEST)
    return comm.recv(source=0, tag=REPLY + comm.rank)


if comm.rank == 0:
    serve(comm.size - 1)
else:
    ask(comm.rank)
comm.barrier()
