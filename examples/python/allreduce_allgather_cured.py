# standoff: title: cured: all call Allreduce
# standoff: ranks: 2
# standoff: expect: clean
# standoff: stdout: limit 1
from array import array
from mpi4py import MPI


def largest(comm, value):
    mine, out = array("d", [value]), array("d", [0.0])
    comm.Allreduce(mine, out, op=MPI.MAX)
    return out[0]


def largest_by_gathering(comm, value):
    mine, out = array("d", [value]), array("d", [0.0] * comm.size)
    comm.Allgather(mine, out)
    return max(out)


def main():
    comm = MPI.COMM_WORLD
    limit = largest
    value = limit(comm, float(comm.rank))
    if comm.rank == 0:
        print("limit %d" % value, flush=True)


main()
