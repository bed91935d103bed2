# standoff: title: every rank sends messages to itself, cured: their receives are posted before
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: 100 to myself
# standoff: check: clean
from array import array
from mpi4py import MPI


def main():
    comm = MPI.COMM_WORLD
    request = comm.irecv(source=comm.rank, tag=500)
    receives = [comm.irecv(source=comm.rank, tag=i) for i in range(100)]
    for i in range(100):
        comm.send(i, dest=comm.rank, tag=i)
    got = sum(receives[i].wait() == i for i in range(100))
    comm.send("self", dest=comm.rank, tag=500)
    assert request.wait() == "self"
    alone = MPI.COMM_SELF
    assert alone.sendrecv(5, dest=0, source=0) == 5
    value = array("i", [comm.rank])
    alone.Allreduce(MPI.IN_PLACE, value)
    alone.Barrier()
    if comm.rank == 0:
        print(got, "to myself", flush=True)


main()
