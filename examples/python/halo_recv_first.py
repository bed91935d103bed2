# standoff: title: 1D halo exchange that receives from its neighbours before it sends
# standoff: ranks: 4
# standoff: expect: deadlock
# standoff: core: 0, 1
# standoff: victims: 2-3
# standoff: cured: halo_recv_first_cured
# standoff: text: Recv
from array import array
from mpi4py import MPI

LEFT, RIGHT = 0, 1


class Slab:
    def __init__(self, comm, cells):
        self.comm = comm
        self.u = array("d", [float(comm.rank)] * (cells + 2))
        self.left = comm.rank - 1 if comm.rank > 0 else MPI.PROC_NULL
        self.right = comm.rank + 1 if comm.rank + 1 < comm.size else MPI.PROC_NULL

    def receive(self):
        ghost = array("d", [0.0])
        self.comm.Recv(ghost, self.left, RIGHT)  # @core 1
        self.u[0] = ghost[0]
        self.comm.Recv(ghost, self.right, LEFT)  # @core 0
        self.u[-1] = ghost[0]

    def send(self):
        self.comm.Send(self.u[1:2], self.left, LEFT)
        self.comm.Send(self.u[-2:-1], self.right, RIGHT)

    def exchange(self):
        self.receive()
        self.send()

    def step(self):
        self.exchange()
        u = self.u
        self.u = array("d", [u[0]] + [(u[i - 1] + u[i + 1]) / 2 for i in range(1, len(u) - 1)] + [u[-1]])


def main():
    slab = Slab(MPI.COMM_WORLD, 32)
    for _ in range(10):
        slab.step()
    if slab.comm.rank == 0:
        print("10 steps done", flush=True)


if __name__ == "__main__":
    main()
