# standoff: title: the rank left out has nothing to balance
# standoff: ranks: 5
# standoff: expect: clean
# standoff: stdout: balanced 5
from mpi4py import MPI

world = MPI.COMM_WORLD
team = world.Split(world.rank // 2 if world.rank < 4 else MPI.UNDEFINED, world.rank)


def balance(team, load):
    heaviest = team.allreduce(load, op=MPI.MAX)
    return heaviest / load


factor = balance(team, load=1.0 + world.rank) if team != MPI.COMM_NULL else None
factors = world.allgather(factor)
world.barrier()
if world.rank == 0:
    print("balanced", len(factors), flush=True)
