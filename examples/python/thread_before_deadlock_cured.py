# standoff: title: cured: one side sends first
# standoff: ranks: 2
# standoff: expect: clean
# standoff: needs: thread-multiple
# standoff: stdout: logged and exchanged
import threading
from mpi4py import MPI


def send_log(comm, partner):
    comm.send("log", dest=partner, tag=1)


def log_in_background(comm, partner):
    thread = threading.Thread(target=send_log, args=(comm, partner))
    thread.start()
    thread.join()
    assert comm.recv(source=partner, tag=1) == "log"


def exchange(comm, partner):
    if comm.rank == 0:
        comm.send("edge", dest=partner, tag=2)
        return comm.recv(source=partner, tag=2)
    edge = comm.recv(source=partner, tag=2)
    comm.send("edge", dest=partner, tag=2)
    return edge


def main():
    comm = MPI.COMM_WORLD
    log_in_background(comm, 1 - comm.rank)
    exchange(comm, 1 - comm.rank)
    if comm.rank == 0:
        print("logged and exchanged", flush=True)


main()
