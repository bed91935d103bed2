# standoff: title: the master of a parameter sweep answers the rank that has the number of the task
# standoff: ranks: 4
# standoff: expect: deadlock
# standoff: core: 0-3
# standoff: cured: sweep_reply_by_task_cured
# standoff: text: tag 2
from mpi4py import MPI

READY, TASK, DONE = 1, 2, 3
REYNOLDS = [100, 200, 400]


def master(comm):
    status = MPI.Status()
    for number, value in enumerate(REYNOLDS):
        comm.recv(source=MPI.ANY_SOURCE, tag=READY, status=status)
        comm.send((number, value), dest=1 + number // 2, tag=TASK)
    drag = {}
    while len(drag) < len(REYNOLDS):
        number, value = comm.recv(source=MPI.ANY_SOURCE, tag=DONE)  # @core 0
        drag[number] = value
    return drag


def worker(comm):
    comm.send(None, dest=0, tag=READY)
    number, value = comm.recv(source=0, tag=TASK)  # @core 3
    comm.send((number, 24 / value), dest=0, tag=DONE)
    comm.Barrier()  # @core 1, 2


def main():
    comm = MPI.COMM_WORLD
    if comm.rank == 0:
        drag = master(comm)
        comm.Barrier()
        print("drag of", len(drag), "cases", flush=True)
    else:
        worker(comm)


main()
