# standoff: title: every idle rank asks another for work and none answers
# standoff: ranks: 3
# standoff: expect: deadlock
# standoff: core: 0-2
# standoff: cured: work_stealing_cured
# standoff: text: recv
#
# The requests are all sent. They lie unreceived, with another tag than the awaited one.
from mpi4py import MPI

REQUEST, REPLY = 1, 2


class Balancer:
    def __init__(self, comm):
        self.comm = comm
        self.victim = (comm.rank + 1) % comm.size

    def steal(self):
        self.comm.send(self.comm.rank, dest=self.victim, tag=REQUEST)
        return self.comm.recv(source=self.victim, tag=REPLY)  # @core 0-2

    def serve(self):
        thief = self.comm.recv(source=MPI.ANY_SOURCE, tag=REQUEST)
        self.comm.send([], dest=thief, tag=REPLY)

    def run(self):
        stolen = self.steal()
        self.serve()
        return stolen


balancer = Balancer(MPI.COMM_WORLD)
balancer.run()
if balancer.comm.rank == 0:
    print("nothing left to steal", flush=True)
