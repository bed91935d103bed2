# standoff: title: cured: as many results as tasks
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: 10 results
from mpi4py import MPI

TASK, RESULT, STOP = 1, 2, 3


def master(comm, tasks):
    workers = range(1, comm.size)
    outstanding = 0
    for worker in workers:
        comm.send(tasks.pop(), dest=worker, tag=TASK)
        outstanding += 1
    results = []
    status = MPI.Status()
    while outstanding > 0:
        results.append(comm.recv(source=MPI.ANY_SOURCE, tag=RESULT, status=status))
        outstanding -= 1
        if tasks:
            comm.send(tasks.pop(), dest=status.source, tag=TASK)
            outstanding += 1
    for worker in workers:
        comm.send(None, dest=worker, tag=STOP)
    return results


def worker(comm):
    status = MPI.Status()
    while True:
        task = comm.recv(source=0, status=status)
        if status.tag == STOP:
            return
        comm.send(task ** 2, dest=0, tag=RESULT)


def main():
    comm = MPI.COMM_WORLD
    if comm.rank == 0:
        print(len(master(comm, list(range(10)))), "results", flush=True)
    else:
        worker(comm)


main()
