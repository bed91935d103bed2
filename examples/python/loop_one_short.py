# standoff: title: a time loop that one rank, whose step is longer, leaves one round early
# standoff: ranks: 4
# standoff: expect: deadlock
# standoff: core: 0-3
# standoff: cured: loop_one_short_cured
# standoff: text: for the 10th time; rank 2 was there 9 times
#
# Each rank has its own idea of the step, and so of the number of steps.
from mpi4py import MPI

END = 1.0


def step_of(rank):
    return 0.1 if rank != 2 else 0.12


def advance(comm, value):
    return comm.allreduce(value, op=MPI.SUM) / comm.size


def simulate(comm):
    time, value, step = 0.0, float(comm.rank), step_of(comm.rank)
    while time < END - 1e-9:
        value = advance(comm, value)
        time += step
    comm.Barrier()  # @core 2
    return value


def main():
    comm = MPI.COMM_WORLD
    value = simulate(comm)
    if comm.rank == 0:
        print(f"mean {value:.3f}", flush=True)


main()
