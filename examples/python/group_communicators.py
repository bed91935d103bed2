# standoff: title: communicators made by groups only, merged and split, with a late member
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: members 3, merged 4
import time
from mpi4py import MPI


def of_group(world, ranks):
    group = world.Get_group().Incl(ranks)
    return world.Create_group(group, tag=len(ranks)) if world.rank in ranks else None


def merged(world):
    low = world.rank < 2
    local = world.Split(int(low), -world.rank)
    inter = local.Create_intercomm(0, world, 3 if low else 1, tag=7)
    return inter.Merge(high=low)


def main():
    world = MPI.COMM_WORLD
    if world.rank == 3:
        time.sleep(0.8)
    team = of_group(world, [3, 1, 0])
    members = team.allreduce(1) if team else 0
    if world.rank == 1:
        time.sleep(0.8)
    both = merged(world)
    both.Barrier()
    total = both.sendrecv(both.size, dest=(both.rank + 1) % 4, source=(both.rank - 1) % 4)
    if world.rank == 0:
        print(f"members {members}, merged {total}", flush=True)


main()
