# standoff: title: one rank calls Allgather where the others call Allreduce
# standoff: ranks: 2
# standoff: expect: deadlock
# standoff: core: 0, 1
# standoff: cured: allreduce_allgather_cured
# standoff: text: Allgather
from array import array
from mpi4py import MPI


def largest(comm, value):
    mine, out = array("d", [value]), array("d", [0.0])
    comm.Allreduce(mine, out, op=MPI.MAX)  # @core 0
    return out[0]


def largest_by_gathering(comm, value):
    mine, out = array("d", [value]), array("d", [0.0] * comm.size)
    comm.Allgather(mine, out)  # @core 1
    return max(out)


def main():
    comm = MPI.COMM_WORLD
    limit = largest if comm.rank == 0 else largest_by_gathering
    value = limit(comm, float(comm.rank))
    if comm.rank == 0:
        print("limit %d" % value, flush=True)


main()
