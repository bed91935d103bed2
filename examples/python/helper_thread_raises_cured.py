# standoff: title: the helper thread knows all fields
# standoff: ranks: 2
# standoff: expect: clean
# standoff: stdout: pressure Pa
# standoff: needs: thread-multiple
import threading
from mpi4py import MPI

UNITS = {"temperature": "K", "pressure": "Pa", "humidity": "%"}


def deliver(comm, fields):
    """Sends the results while the main thread goes on."""
    for name in fields:
        comm.send((name, UNITS[name]), dest=0)


def main():
    comm = MPI.COMM_WORLD
    fields = ["temperature", "humidity", "pressure"]
    if comm.rank == 0:
        for _ in range((comm.size - 1) * len(fields)):
            name, unit = comm.recv()
            if name == "pressure":
                print(name, unit, flush=True)
    else:
        helper = threading.Thread(target=deliver, args=(comm, fields))
        helper.start()
        helper.join()
    comm.Barrier()


main()
