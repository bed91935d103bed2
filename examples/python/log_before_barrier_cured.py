# standoff: title: the writer receives the logs before the barrier
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: 3 logs
# standoff: check: clean
from mpi4py import MPI

comm = MPI.COMM_WORLD
log = [f"rank {comm.rank} step {step}" for step in range(4)]
if comm.rank != 0:
    comm.send(log, dest=0, tag=4)
else:
    logs = [comm.recv(source=rank, tag=4) for rank in range(1, comm.size)]
    print(len(logs), "logs")
comm.barrier()
