# standoff: title: cured: requests are answered while waiting for a reply
# standoff: ranks: 3
# standoff: expect: clean
# standoff: check: clean
# standoff: stdout: nothing left to steal
from mpi4py import MPI

REQUEST, REPLY = 1, 2


class Balancer:
    def __init__(self, comm):
        self.comm = comm
        self.victim = (comm.rank + 1) % comm.size

    def steal(self):
        asked = self.comm.isend(self.comm.rank, dest=self.victim, tag=REQUEST)
        thief = self.comm.recv(source=MPI.ANY_SOURCE, tag=REQUEST)
        answered = self.comm.isend([], dest=thief, tag=REPLY)
        stolen = self.comm.recv(source=self.victim, tag=REPLY)
        MPI.Request.waitall([asked, answered])
        return stolen

    def run(self):
        stolen = self.steal()
        return stolen


balancer = Balancer(MPI.COMM_WORLD)
balancer.run()
if balancer.comm.rank == 0:
    print("nothing left to steal", flush=True)
