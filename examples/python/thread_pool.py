# standoff: title: ranks wait for results that a thread pool of another rank sends
# standoff: ranks: 3
# standoff: expect: clean
# standoff: needs: thread-multiple
# standoff: stdout: received 0 1 4 9
import time
from concurrent.futures import ThreadPoolExecutor
from mpi4py import MPI


def compute_and_send(comm, n):
    time.sleep(0.4)
    comm.send(n * n, dest=n % 2, tag=n)
    return n


def main():
    comm = MPI.COMM_WORLD
    assert MPI.Query_thread() == MPI.THREAD_MULTIPLE
    if comm.rank == 2:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda n: compute_and_send(comm, n), range(4)))
    elif comm.rank == 1:
        comm.send([comm.recv(source=2, tag=n) for n in (1, 3)], dest=0, tag=9)
    else:
        mine = [comm.recv(source=2, tag=n) for n in (0, 2)]
        print("received", *sorted(mine + comm.recv(source=1, tag=9)), flush=True)


main()
