# standoff: title: half cured: requests are answered, but only when one's own has been sent
# standoff: ranks: 3
# standoff: expect: clean
# standoff: cured: work_stealing_cured
# standoff: check: potential-deadlock
# standoff: stdout: nothing left to steal
from mpi4py import MPI

REQUEST, REPLY = 1, 2


class Balancer:
    def __init__(self, comm):
        self.comm = comm
        self.victim = (comm.rank + 1) % comm.size

    def steal(self):
        self.comm.send(self.comm.rank, dest=self.victim, tag=REQUEST)  # @check 0-2
        thief = self.comm.recv(source=MPI.ANY_SOURCE, tag=REQUEST)
        self.comm.send([], dest=thief, tag=REPLY)
        return self.comm.recv(source=self.victim, tag=REPLY)

    def run(self):
        stolen = self.steal()
        return stolen


balancer = Balancer(MPI.COMM_WORLD)
balancer.run()
if balancer.comm.rank == 0:
    print("nothing left to steal", flush=True)
