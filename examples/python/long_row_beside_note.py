# standoff: title: two long rows on their way to and from a rank that computes, beside a short note that is taken after a barrier
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: note 2
#
# Everything that rank 0 waits for is posted on the other side, but a long message moves only while its partner is in MPI. The note is
# done, and not what keeps it waiting.
import time

import numpy as np
from mpi4py import MPI

LONG = 400_000
comm = MPI.COMM_WORLD
mine, theirs = np.full(LONG, float(comm.rank)), np.empty(LONG)


def step(number):
    if comm.rank == 0:
        requests = [comm.Isend(mine, dest=1), comm.Irecv(theirs, source=1)]
        note = np.array([number])
        requests.append(comm.Isend(note, dest=2, tag=7))
        MPI.Request.Waitall(requests)
    elif comm.rank == 1:
        requests = [comm.Irecv(theirs, source=0), comm.Isend(mine, dest=0)]
        time.sleep(1)
        MPI.Request.Waitall(requests)
    comm.Barrier()
    if comm.rank == 2:
        note = np.empty(1, dtype=int)
        comm.Recv(note, source=0, tag=7)
        return int(note[0])


for number in (1, 2):
    note = step(number)
if comm.rank == 2:
    print("note", note)
