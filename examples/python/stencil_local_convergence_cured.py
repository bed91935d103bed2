# standoff: title: cured: the test uses the global residual
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: converged
from array import array
from mpi4py import MPI


def residual(rank, step):
    return (4.0 - rank) / (1 + step)


def global_residual(comm, local):
    value = array("d", [local])
    comm.Allreduce(MPI.IN_PLACE, value, op=MPI.MAX)
    return value[0]


def iterate(comm, tolerance):
    step = 0
    while True:
        local = residual(comm.rank, step)
        worst = global_residual(comm, local)
        if worst < tolerance:
            return worst
        step += 1


def main():
    comm = MPI.COMM_WORLD
    iterate(comm, 0.25)
    if comm.rank == 0:
        print("converged", flush=True)


main()
