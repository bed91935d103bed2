# standoff: title: all send to the right first, in a chain with open ends: the last has nobody, so it receives at once
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: rank 3 has 2
# standoff: check: clean
#
# Looks like the ring that hangs with large messages, and is none: MPI_PROC_NULL
# ends it, however little the library buffers.
from array import array
from mpi4py import MPI

comm = MPI.COMM_WORLD
left = comm.rank - 1 if comm.rank > 0 else MPI.PROC_NULL
right = comm.rank + 1 if comm.rank < comm.size - 1 else MPI.PROC_NULL
mine, ghost = array("d", [comm.rank] * 20_000), array("d", [-1] * 20_000)
comm.Send(mine, dest=right)
comm.Recv(ghost, source=left)
comm.Send(mine, dest=left)
comm.Recv(mine, source=right)
if comm.rank == 3:
    print("rank 3 has", int(ghost[0]))
