# standoff: title: two ranks deadlock while a third is busy with something else
# standoff: ranks: 3
# standoff: expect: deadlock
# standoff: core: 0, 1
# standoff: cured: bystander_sleeps_cured
# standoff: text: recv
#
# Rank 2 is neither part of the deadlock nor able to end it: no one waits for it.
import time
from mpi4py import MPI


def bystander(seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        sum(range(1000))
        time.sleep(0.01)


def talk(comm, partner):
    got = comm.recv(source=partner)  # @core 0, 1
    comm.send("hello", dest=partner)
    return got


def main():
    comm = MPI.COMM_WORLD
    if comm.rank == 2:
        bystander(60.0)
    else:
        talk(comm, 1 - comm.rank)
    if comm.rank == 0:
        print("done", flush=True)


main()
