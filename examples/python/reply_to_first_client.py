# standoff: title: a server that sends every reply to the first client
# standoff: ranks: 4
# standoff: expect: deadlock
# standoff: core: 0, 2-3
# standoff: victims: 1
# standoff: text: tag 102 to rank 1
# standoff: text: check the destination of the send
# standoff: cured: reply_to_first_client_cured
from mpi4py import MPI

REQUEST, REPLY = 1, 100
comm = MPI.COMM_WORLD


def serve(clients):
    status = MPI.Status()
    client = None
    for n in range(clients):
        question = comm.recv(source=n + 1, tag=REQUEST, status=status)
        if client is None:
            client = status.Get_source()
        comm.send(question * 2, dest=client, tag=REPLY + status.Get_source())


def ask(question):
    comm.send(question, dest=0, tag=REQUEST)
    return comm.recv(source=0, tag=REPLY + comm.rank)  # @core 2-3


if comm.rank == 0:
    serve(comm.size - 1)
else:
    ask(comm.rank)
comm.barrier()  # @core 0
