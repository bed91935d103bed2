# standoff: title: two models exchange fields many times, each in turn as the root
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: step 39, heat 80.0
#
# On an intercommunicator ranks give different roots, and rightly: MPI_ROOT,
# MPI_PROC_NULL, or a rank of the other group. So it is however many steps there
# were, more than are remembered as well.
from mpi4py import MPI

world = MPI.COMM_WORLD
ocean = world.rank < 2
model = world.Split(ocean, world.rank)
coupler = model.Create_intercomm(0, world, 2 if ocean else 0, 7)
heat = 0.0
for step in range(40):
    if ocean == (step % 2 == 0):
        mine = MPI.ROOT if model.rank == step // 2 % 2 else MPI.PROC_NULL
        coupler.bcast(heat + 2.0, root=mine)
        heat += 2.0
    else:
        heat = coupler.bcast(None, root=step // 2 % 2)
if world.rank == 0:
    print(f"step {step}, heat {heat}", flush=True)
coupler.Free()
model.Free()
