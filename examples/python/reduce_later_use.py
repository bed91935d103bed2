# standoff: title: a rank leaves after the first of two reductions
# standoff: ranks: 3
# standoff: expect: deadlock
# standoff: core: 0, 1
# standoff: left: 2
# standoff: cured: reduce_later_use_cured
# standoff: text: reduce
from mpi4py import MPI


def main():
    comm = MPI.COMM_WORLD
    first = comm.reduce(comm.rank, op=MPI.SUM, root=0)
    if comm.rank == 2:
        return
    second = comm.reduce(2 * comm.rank, op=MPI.SUM, root=0)  # @core 0
    comm.Barrier()  # @core 1
    if comm.rank == 0:
        print("sums", first, second, flush=True)


main()
