# standoff: title: cured: one side sends first
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: done
import time
from mpi4py import MPI


def bystander(seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        sum(range(1000))
        time.sleep(0.01)


def talk(comm, partner):
    if comm.rank == 0:
        comm.send("hello", dest=partner)
    got = comm.recv(source=partner)
    if comm.rank == 1:
        comm.send("hello", dest=partner)
    return got


def main():
    comm = MPI.COMM_WORLD
    if comm.rank == 2:
        bystander(1.0)
    else:
        talk(comm, 1 - comm.rank)
    if comm.rank == 0:
        print("done", flush=True)


main()
