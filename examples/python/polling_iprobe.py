# standoff: title: a busy loop over iprobe that ends after a second and a half
# standoff: ranks: 2
# standoff: expect: clean
# standoff: stdout: polled more than once
import time
from mpi4py import MPI


def poll(comm):
    polls = 1
    while not comm.iprobe(source=1, tag=4):
        polls += 1
    comm.recv(source=1, tag=4)
    return polls


def main():
    comm = MPI.COMM_WORLD
    if comm.rank == 0:
        if poll(comm) > 1:
            print("polled more than once", flush=True)
    else:
        time.sleep(1.5)
        comm.send("late", dest=0, tag=4)


main()
