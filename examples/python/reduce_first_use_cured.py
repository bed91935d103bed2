# standoff: title: cured: all ranks take part, the idle one with zero
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: total 3
from mpi4py import MPI


def total(comm, mine):
    return comm.reduce(mine, op=MPI.SUM, root=0)


def main():
    comm = MPI.COMM_WORLD
    samples = comm.rank if comm.rank < 3 else 0
    result = total(comm, samples)
    if comm.rank == 0:
        print("total", result, flush=True)


main()
