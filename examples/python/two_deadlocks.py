# standoff: title: two independent deadlocks in one job
# standoff: ranks: 6
# standoff: expect: deadlock
# standoff: core: 0, 1
# standoff: core: 2-4
# standoff: findings: 2
# standoff: cured: two_deadlocks_cured
# standoff: text: recv
from mpi4py import MPI


def rotate(team, value):
    right = (team.rank + 1) % team.size
    left = (team.rank - 1) % team.size
    got = team.recv(source=left)  # @core 0-4
    team.send(value, dest=right)
    return got


def main():
    world = MPI.COMM_WORLD
    colour = 0 if world.rank < 2 else 1 if world.rank < 5 else 2
    team = world.Split(colour, world.rank)
    if colour < 2:
        rotate(team, world.rank)


main()
