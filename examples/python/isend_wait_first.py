# standoff: title: migrating particles: every rank waits for its isend before it receives
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: 9 particles
# standoff: cured: isend_wait_first_cured
# standoff: check: potential-deadlock
#
# isend().wait() is a send: nonblocking only helps if something else is done
# before the wait.
from mpi4py import MPI

comm = MPI.COMM_WORLD
to, source = (comm.rank + 1) % comm.size, (comm.rank - 1) % comm.size
mine = [(comm.rank, n) for n in range(3)]
for step in range(3):
    gone, mine = mine[:1], mine[1:]
    request = comm.isend(gone, dest=to, tag=step)
    request.wait()  # @check 0-2
    mine += comm.recv(source=source, tag=step)
count = comm.allreduce(len(mine))
if comm.rank == 0:
    print(count, "particles")
