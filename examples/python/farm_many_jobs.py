# standoff: title: a farm of five workers and sixty jobs, each result with the worker's next request
# standoff: ranks: 6
# standoff: expect: clean
# standoff: stdout: 60 jobs, checksum 70210
# standoff: check: clean
# standoff: check-scope: bounded
# standoff: check-budget: runs=10
#
# More orders than anybody can run; none of them hangs.
from mpi4py import MPI

READY, DONE, JOB, STOP = range(4)
JOBS = 60


def hand_out(comm):
    results, status = {}, MPI.Status()
    waiting, jobs = comm.size - 1, iter(range(JOBS))
    while waiting:
        found = comm.recv(source=MPI.ANY_SOURCE, tag=MPI.ANY_TAG, status=status)
        if status.Get_tag() == DONE:
            results[found[0]] = found[1]
        job = next(jobs, None)
        comm.send(job, dest=status.Get_source(), tag=STOP if job is None else JOB)
        waiting -= job is None
    return results


def work(comm):
    status = MPI.Status()
    comm.send(None, dest=0, tag=READY)
    while True:
        job = comm.recv(source=0, tag=MPI.ANY_TAG, status=status)
        if status.Get_tag() == STOP:
            return
        comm.send((job, job * job), dest=0, tag=DONE)


def main():
    comm = MPI.COMM_WORLD
    if comm.rank:
        work(comm)
    else:
        results = hand_out(comm)
        print(len(results), "jobs, checksum", sum(results.values()), flush=True)


main()
