# standoff: title: a rank skips a step whose exception it swallows, and comes one reduction short
# standoff: ranks: 3
# standoff: expect: deadlock
# standoff: core: 0
# standoff: left: 1
# standoff: victims: 2
# standoff: cured: swallowed_step_cured
# standoff: text: waits for rank 1 to take part
# standoff: text: lower-case reduction of mpi4py
# standoff: text: for the 6th time; rank 1 was there 5 times
#
# The messages of comm.allreduce are mpi4py's own: their tags and sources are no mistake of the program's.
from mpi4py import MPI

comm = MPI.COMM_WORLD


def step(number):
    if comm.rank == 1 and number == 2:
        raise ValueError("not a number in the field")
    return comm.allreduce(number)  # @core 0


def main():
    for number in range(6):
        try:
            step(number)
        except ValueError as error:
            print("skipped:", error, flush=True)


main()
