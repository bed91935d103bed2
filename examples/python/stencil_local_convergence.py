# standoff: title: each rank decides for itself that the stencil has converged
# standoff: ranks: 4
# standoff: expect: deadlock
# standoff: core: 0-2
# standoff: left: 3
# standoff: cured: stencil_local_convergence_cured
# standoff: text: Allreduce
# standoff: text: time; rank 3 was there
# standoff: text: The last communication of rank 3 was comm.Allreduce at
from array import array
from mpi4py import MPI


def residual(rank, step):
    return (4.0 - rank) / (1 + step)


def global_residual(comm, local):
    value = array("d", [local])
    comm.Allreduce(MPI.IN_PLACE, value, op=MPI.MAX)  # @core 0-2
    return value[0]


def iterate(comm, tolerance):
    step = 0
    while True:
        local = residual(comm.rank, step)
        worst = global_residual(comm, local)
        if local < tolerance:
            return worst
        step += 1


def main():
    comm = MPI.COMM_WORLD
    iterate(comm, 0.25)
    if comm.rank == 0:
        print("converged", flush=True)


main()
