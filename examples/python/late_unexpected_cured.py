# standoff: title: two thousand messages, each with its own tag; cured: their receives are posted before, last first
# standoff: ranks: 2
# standoff: expect: clean
# standoff: stdout: received 2000
# standoff: check: clean
from array import array
from mpi4py import MPI

MESSAGES = 2000


def main():
    comm = MPI.COMM_WORLD
    if comm.rank == 0:
        for tag in range(MESSAGES):
            comm.Send(array("i", [tag]), dest=1, tag=tag)
        comm.send("all sent", dest=1, tag=MESSAGES)
        comm.recv(source=1)
    else:
        values = [array("i", [-1]) for _ in range(MESSAGES)]
        receives = [comm.Irecv(values[tag], source=0, tag=tag) for tag in reversed(range(MESSAGES))]
        comm.recv(source=0, tag=MESSAGES)
        MPI.Request.Waitall(receives)
        assert all(values[tag][0] == tag for tag in range(MESSAGES))
        print("received", MESSAGES, flush=True)
        comm.send("done", dest=0)


main()
