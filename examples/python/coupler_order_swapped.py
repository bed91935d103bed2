# standoff: title: two communicators whose collectives are called in different orders
# standoff: ranks: 4
# standoff: expect: deadlock
# standoff: core: 0-3
# standoff: cured: coupler_order_swapped_cured
# standoff: text: Barrier
from mpi4py import MPI


def ocean_step(ocean):
    ocean.Barrier()  # @core 0, 2


def ice_step(ice):
    ice.Barrier()  # @core 1, 3


def main():
    world = MPI.COMM_WORLD
    ocean, ice = world.Dup(), world.Dup()
    if world.rank % 2 == 0:
        ocean_step(ocean)
        ice_step(ice)
    else:
        ice_step(ice)
        ocean_step(ocean)
    if world.rank == 0:
        print("in step", flush=True)


main()
