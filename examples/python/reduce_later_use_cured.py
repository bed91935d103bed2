# standoff: title: cured: it stays for the second
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: sums 3 6
from mpi4py import MPI


def main():
    comm = MPI.COMM_WORLD
    first = comm.reduce(comm.rank, op=MPI.SUM, root=0)
    second = comm.reduce(2 * comm.rank, op=MPI.SUM, root=0)
    comm.Barrier()
    if comm.rank == 0:
        print("sums", first, second, flush=True)


main()
