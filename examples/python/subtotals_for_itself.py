# standoff: title: a list comprehension over all ranks has the collector wait for itself
# standoff: ranks: 3
# standoff: expect: deadlock
# standoff: core: 0
# standoff: victims: 1, 2
# standoff: cured: subtotals_for_itself_cured
# standoff: text: rank 0
from mpi4py import MPI

comm = MPI.COMM_WORLD
subtotal = sum(range(comm.rank * 10, comm.rank * 10 + 10))

if comm.rank == 0:
    others = [comm.recv(source=rank, tag=5) for rank in range(comm.size)]  # @core 0
    total = subtotal + sum(others)
    print("total", total, flush=True)
else:
    comm.send(subtotal, dest=0, tag=5)
comm.barrier()
