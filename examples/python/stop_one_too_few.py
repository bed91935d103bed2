# standoff: title: a farm whose master forgets the last worker when it says stop
# standoff: ranks: 5
# standoff: expect: deadlock
# standoff: core: 4
# standoff: left: 0
# standoff: cured: stop_one_too_few_cured
# standoff: text: rank 0
from mpi4py import MPI

WORK, STOP = 1, 2


class Worker:
    def __init__(self, comm):
        self.comm = comm
        self.done = 0

    def __iter__(self):
        status = MPI.Status()
        while True:
            task = self.comm.recv(source=0, status=status)  # @core 4
            if status.tag == STOP:
                return
            yield task

    def run(self):
        for task in self:
            self.comm.send(task**2, dest=0)
            self.done += 1


def farm(comm, tasks):
    results = []
    workers = range(1, comm.size)
    for first in range(0, len(tasks), len(workers)):
        batch = list(zip(workers, tasks[first : first + len(workers)]))
        for worker, task in batch:
            comm.send(task, dest=worker, tag=WORK)
        results += [comm.recv(source=worker) for worker, _ in batch]
    for worker in range(1, len(workers)):
        comm.send(None, dest=worker, tag=STOP)
    return results


comm = MPI.COMM_WORLD
if comm.rank == 0:
    print("sum", sum(farm(comm, list(range(10)))), flush=True)
else:
    Worker(comm).run()
