# standoff: title: the lower-case collectives, each with another rank late
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: all collectives done
import time
from mpi4py import MPI


def late(comm, rank):
    if comm.rank == rank:
        time.sleep(0.3)


def main():
    comm = MPI.COMM_WORLD
    n, me = comm.size, comm.rank
    late(comm, 0)
    assert comm.bcast("config", root=0) == "config"
    late(comm, 1)
    comm.gather(me, root=2)
    late(comm, 2)
    assert comm.scatter(list(range(n)) if me == 2 else None, root=2) == me
    late(comm, 3)
    assert comm.allgather(me) == list(range(n))
    late(comm, 0)
    assert comm.alltoall([me] * n) == list(range(n))
    late(comm, 1)
    comm.reduce(me, root=3)
    assert comm.allreduce(me, op=MPI.MAX) == n - 1
    late(comm, 2)
    assert comm.scan(1) == me + 1
    comm.exscan(1)
    comm.barrier()
    if me == 0:
        print("all collectives done", flush=True)


main()
