# standoff: title: workers send their log before a barrier, the writer receives it after
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: 3 logs
# standoff: cured: log_before_barrier_cured
# standoff: check: potential-deadlock
# standoff: check-text: standard send
from mpi4py import MPI

comm = MPI.COMM_WORLD
log = [f"rank {comm.rank} step {step}" for step in range(4)]
if comm.rank != 0:
    comm.send(log, dest=0, tag=4)  # @check 1-3
comm.barrier()  # @check 0
if comm.rank == 0:
    logs = [comm.recv(source=rank, tag=4) for rank in range(1, comm.size)]
    print(len(logs), "logs")
