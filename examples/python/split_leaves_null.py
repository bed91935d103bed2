# standoff: title: a rank left out of a split uses the null communicator, which raises
# standoff: ranks: 5
# standoff: expect: deadlock
# standoff: core: 0-3
# standoff: left: 4
# standoff: cured: split_leaves_null_cured
# standoff: text: nvalid communicator
from mpi4py import MPI

world = MPI.COMM_WORLD
team = world.Split(world.rank // 2 if world.rank < 4 else MPI.UNDEFINED, world.rank)


def balance(team, load):
    heaviest = team.allreduce(load, op=MPI.MAX)
    return heaviest / load


factor = balance(team, load=1.0 + world.rank)
factors = world.allgather(factor)  # @core 0-3
world.barrier()
if world.rank == 0:
    print("balanced", len(factors), flush=True)
