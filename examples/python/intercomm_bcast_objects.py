# standoff: title: broadcast of an object over an intercommunicator, with MPI.ROOT and MPI.PROC_NULL, from a slow root
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: coast of 100
import time
from mpi4py import MPI


def late(value):
    time.sleep(1.5)
    return value


def connect(world):
    """Ranks 0 and 1 are the ocean, 2 and 3 the atmosphere."""
    ocean = world.rank < 2
    local = world.Split(ocean, world.rank)
    return ocean, local.Create_intercomm(0, world, 2 if ocean else 0, tag=3)


def share_coastline(ocean, inter):
    coast = late(list(range(100))) if inter.rank == 0 and ocean else None
    if ocean:
        root = MPI.ROOT if inter.rank == 0 else MPI.PROC_NULL
    else:
        root = 0
    return inter.bcast(coast, root=root)


world = MPI.COMM_WORLD
ocean, inter = connect(world)
coast = share_coastline(ocean, inter)
if world.rank == 3:
    print("coast of", len(coast), flush=True)
