# standoff: title: cured: all ranks use the same order
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: in step
from mpi4py import MPI


def ocean_step(ocean):
    ocean.Barrier()


def ice_step(ice):
    ice.Barrier()


def main():
    world = MPI.COMM_WORLD
    ocean, ice = world.Dup(), world.Dup()
    ocean_step(ocean)
    ice_step(ice)
    if world.rank == 0:
        print("in step", flush=True)


main()
