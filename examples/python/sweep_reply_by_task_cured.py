# standoff: title: it answers the rank that asked
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: drag of 3 cases
from mpi4py import MPI

READY, TASK, DONE = 1, 2, 3
REYNOLDS = [100, 200, 400]


def master(comm):
    status = MPI.Status()
    for number, value in enumerate(REYNOLDS):
        comm.recv(source=MPI.ANY_SOURCE, tag=READY, status=status)
        comm.send((number, value), dest=status.Get_source(), tag=TASK)
    drag = {}
    while len(drag) < len(REYNOLDS):
        number, value = comm.recv(source=MPI.ANY_SOURCE, tag=DONE)
        drag[number] = value
    return drag


def worker(comm):
    comm.send(None, dest=0, tag=READY)
    number, value = comm.recv(source=0, tag=TASK)
    comm.send((number, 24 / value), dest=0, tag=DONE)
    comm.Barrier()


def main():
    comm = MPI.COMM_WORLD
    if comm.rank == 0:
        drag = master(comm)
        comm.Barrier()
        print("drag of", len(drag), "cases", flush=True)
    else:
        worker(comm)


main()
