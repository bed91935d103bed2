# standoff: title: a task farm with wildcards in which all wait for the slowest worker
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: 20 results
import time
from mpi4py import MPI

TASK, RESULT, STOP = 1, 2, 3


def master(comm):
    tasks, results, active = list(range(20)), [], 0
    status = MPI.Status()
    for worker in range(1, comm.size):
        comm.send(tasks.pop(), dest=worker, tag=TASK)
        active += 1
    while active:
        results.append(comm.recv(source=MPI.ANY_SOURCE, tag=MPI.ANY_TAG, status=status))
        if tasks:
            comm.send(tasks.pop(), dest=status.source, tag=TASK)
        else:
            comm.send(None, dest=status.source, tag=STOP)
            active -= 1
    return results


def worker(comm):
    status = MPI.Status()
    while True:
        task = comm.recv(source=0, tag=MPI.ANY_TAG, status=status)
        if status.tag == STOP:
            return
        if task == 0:
            time.sleep(1.5)
        comm.send(task, dest=0, tag=RESULT)


def main():
    comm = MPI.COMM_WORLD
    if comm.rank == 0:
        print(len(master(comm)), "results", flush=True)
    else:
        worker(comm)
    comm.Barrier()


main()
