# standoff: title: the main thread waits for a message that another thread of its rank sends later
# standoff: ranks: 2
# standoff: expect: clean
# standoff: needs: thread-multiple
# standoff: stdout: woken twice
import threading
import time
from mpi4py import MPI


def timer(comm, seconds):
    time.sleep(seconds)
    comm.send("tick", dest=comm.rank, tag=1)


def wait_for_tick(comm):
    thread = threading.Thread(target=timer, args=(comm, 1.5))
    thread.start()
    tick = comm.recv(source=comm.rank, tag=1)
    thread.join()
    return tick


def main():
    assert MPI.Query_thread() == MPI.THREAD_MULTIPLE
    comm = MPI.COMM_WORLD
    wait_for_tick(comm)
    comm.Barrier()
    if comm.rank == 0:
        wait_for_tick(comm)
        comm.send("go", dest=1)
        print("woken twice", flush=True)
    else:
        comm.recv(source=0)


main()
