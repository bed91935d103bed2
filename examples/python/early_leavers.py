# standoff: title: most ranks leave early, nobody needs them, the others go on for two seconds
# standoff: ranks: 6
# standoff: expect: clean
# standoff: stdout: 40 rounds
import time
from mpi4py import MPI


def ping_pong(comm, rounds):
    partner = 1 - comm.rank
    for _ in range(rounds):
        if comm.rank == 0:
            time.sleep(0.05)
            comm.send("ping", dest=partner)
            comm.recv(source=partner)
        else:
            comm.recv(source=partner)
            comm.send("pong", dest=partner)


def main():
    comm = MPI.COMM_WORLD
    if comm.rank >= 2:
        return
    ping_pong(comm, 40)
    if comm.rank == 0:
        print("40 rounds", flush=True)


main()
