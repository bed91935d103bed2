# standoff: title: persistent requests, started again and again, with a slow neighbour
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: 200 steps
import time
from array import array
from mpi4py import MPI


class Halo:
    def __init__(self, comm):
        left, right = (comm.rank - 1) % comm.size, (comm.rank + 1) % comm.size
        self.out = array("d", [0.0, 0.0])
        self.ghost = array("d", [0.0, 0.0])
        g, o = memoryview(self.ghost), memoryview(self.out)
        self.requests = [
            comm.Recv_init(g[0:1], source=left, tag=1),
            comm.Recv_init(g[1:2], source=right, tag=2),
            comm.Send_init(o[0:1], dest=left, tag=2),
            comm.Send_init(o[1:2], dest=right, tag=1),
        ]

    def exchange(self):
        MPI.Prequest.Startall(self.requests)
        MPI.Request.Waitall(self.requests)

    def close(self):
        for request in self.requests:
            request.Free()


def main():
    comm = MPI.COMM_WORLD
    halo = Halo(comm)
    for step in range(200):
        if comm.rank == 2 and step % 100 == 50:
            time.sleep(0.7)
        halo.exchange()
    halo.close()
    if comm.rank == 0:
        print("200 steps", flush=True)


main()
