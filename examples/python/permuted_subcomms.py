# standoff: title: subcommunicators whose ranks are the world ranks of others
# standoff: ranks: 6
# standoff: expect: clean
# standoff: stdout: 3 rounds in each team
import time
from mpi4py import MPI


def relay(team):
    """Rank 0 of the team starts, everybody passes on; all others wait."""
    right, left = (team.rank + 1) % team.size, (team.rank - 1) % team.size
    if team.rank == 0:
        time.sleep(0.4)
        team.send([0], dest=right)
        return team.recv(source=left)
    path = team.recv(source=left)
    team.send(path + [team.rank], dest=right)


def main():
    world = MPI.COMM_WORLD
    rounds = 0
    for key in (-world.rank, (world.rank * 5) % 6, (world.rank + 3) % 6):
        team = world.Split(world.rank // 3, key)
        relay(team)
        rounds += 1
        team.Free()
    reversed_world = world.Split(0, -world.rank)
    assert reversed_world.rank == 5 - world.rank
    relay(reversed_world)
    if world.rank == 0:
        print(rounds, "rounds in each team", flush=True)


main()
