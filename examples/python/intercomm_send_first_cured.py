# standoff: title: the atmosphere receives first
# standoff: ranks: 4
# standoff: expect: clean
# standoff: stdout: ocean got 2.5
# standoff: check: clean
from mpi4py import MPI

world = MPI.COMM_WORLD
ocean = world.rank < 2
model = world.Split(color=0 if ocean else 1, key=world.rank)
other = model.Create_intercomm(0, world, 2 if ocean else 0, tag=7)
if model.rank == 0:
    if ocean:
        other.send(1.5, dest=0)
        flux = other.recv(source=0)
    else:
        flux = other.recv(source=0)
        other.send(2.5, dest=0)
    if ocean:
        print("ocean got", flux)
other.Free()
