# standoff: title: a helper thread dies of an exception, and the messages that it would have sent are missing
# standoff: ranks: 2
# standoff: expect: deadlock
# standoff: core: 0-1
# standoff: cured: helper_thread_raises_cured
# standoff: text: rank 1 had a helper thread that raised KeyError: 'humidity' at
# standoff: text: Traceback (most recent call last):
# standoff: needs: thread-multiple
import threading
from mpi4py import MPI

UNITS = {"temperature": "K", "pressure": "Pa"}


def deliver(comm, fields):
    """Sends the results while the main thread goes on."""
    for name in fields:
        comm.send((name, UNITS[name]), dest=0)


def main():
    comm = MPI.COMM_WORLD
    fields = ["temperature", "humidity", "pressure"]
    if comm.rank == 0:
        for _ in range((comm.size - 1) * len(fields)):
            name, unit = comm.recv()  # @core 0
            if name == "pressure":
                print(name, unit, flush=True)
    else:
        helper = threading.Thread(target=deliver, args=(comm, fields))
        helper.start()
        helper.join()
    comm.Barrier()  # @core 1


main()
