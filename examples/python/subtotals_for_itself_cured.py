# standoff: title: it leaves itself out
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: total 435
from mpi4py import MPI

comm = MPI.COMM_WORLD
subtotal = sum(range(comm.rank * 10, comm.rank * 10 + 10))

if comm.rank == 0:
    others = [comm.recv(source=rank, tag=5) for rank in range(comm.size) if rank != comm.rank]
    total = subtotal + sum(others)
    print("total", total, flush=True)
else:
    comm.send(subtotal, dest=0, tag=5)
comm.barrier()
