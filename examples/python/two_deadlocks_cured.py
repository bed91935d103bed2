# standoff: title: cured: sendrecv in both groups
# standoff: ranks: 6
# standoff: expect: clean
# standoff: stdout: both groups done
from mpi4py import MPI


def rotate(team, value):
    right = (team.rank + 1) % team.size
    left = (team.rank - 1) % team.size
    return team.sendrecv(value, dest=right, source=left)


def main():
    world = MPI.COMM_WORLD
    colour = 0 if world.rank < 2 else 1 if world.rank < 5 else 2
    team = world.Split(colour, world.rank)
    if colour < 2:
        rotate(team, world.rank)
    world.Barrier()
    if world.rank == 0:
        print("both groups done", flush=True)


main()
