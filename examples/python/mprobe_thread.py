# standoff: title: one thread probes with Mprobe for everything, another waits in a barrier
# standoff: ranks: 2
# standoff: expect: clean
# standoff: needs: thread-multiple
# standoff: stdout: received 3
import queue
import threading
import time
from mpi4py import MPI


def listener(inbox, received):
    while True:
        message = inbox.mprobe(source=MPI.ANY_SOURCE, tag=MPI.ANY_TAG)
        item = message.recv()
        if item is None:
            return
        received.put(item)


def main():
    world = MPI.COMM_WORLD
    assert MPI.Query_thread() == MPI.THREAD_MULTIPLE
    inbox = world.Dup()
    received = queue.Queue()
    thread = threading.Thread(target=listener, args=(inbox, received))
    thread.start()
    for i in range(3):
        if world.rank == 1:
            time.sleep(0.5)
        inbox.send(i, dest=1 - world.rank)
    world.Barrier()
    inbox.send(None, dest=world.rank)
    thread.join()
    if world.rank == 0:
        print("received", received.qsize(), flush=True)


main()
