# standoff: title: a time loop whose number of steps one rank tells the others
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: mean 1.500
from mpi4py import MPI

END = 1.0


def step_of(rank):
    return 0.1 if rank != 2 else 0.12


def advance(comm, value):
    return comm.allreduce(value, op=MPI.SUM) / comm.size


def simulate(comm):
    steps = comm.bcast(round(END / step_of(comm.rank)), root=0)
    value = float(comm.rank)
    for _ in range(steps):
        value = advance(comm, value)
    comm.Barrier()
    return value


def main():
    comm = MPI.COMM_WORLD
    value = simulate(comm)
    if comm.rank == 0:
        print(f"mean {value:.3f}", flush=True)


main()
