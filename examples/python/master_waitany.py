# standoff: title: a master in Waitany for results of work that it has not handed out
# standoff: ranks: 4
# standoff: expect: deadlock
# standoff: core: 0-3
# standoff: cured: master_waitany_cured
# standoff: text: Waitany
from array import array
from mpi4py import MPI

WORK, RESULT = 1, 2


def master(comm):
    buffers = [array("i", [0]) for _ in range(1, comm.size)]
    requests = [comm.Irecv(b, source=w, tag=RESULT) for w, b in enumerate(buffers, 1)]
    total = 0
    for _ in buffers:
        which = MPI.Request.Waitany(requests)  # @core 0
        total += buffers[which][0]
    for worker in range(1, comm.size):
        comm.Send(array("i", [worker]), dest=worker, tag=WORK)
    print("sum", total, flush=True)


def worker(comm):
    work = array("i", [0])
    comm.Recv(work, source=0, tag=WORK)  # @core 1-3
    work[0] *= work[0]
    comm.Send(work, dest=0, tag=RESULT)


def main():
    comm = MPI.COMM_WORLD
    if comm.rank == 0:
        master(comm)
    else:
        worker(comm)


main()
