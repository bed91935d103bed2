# standoff: title: servers give a table to clients over an intercommunicator; one server takes no part in it
# standoff: ranks: 5
# standoff: expect: clean
# standoff: stdout: table 0
from array import array
from mpi4py import MPI

world = MPI.COMM_WORLD
servers = world.rank < 2
group = world.Split(not servers, world.rank)
inter = group.Create_intercomm(0, world, 2 if servers else 0)

table = array("d", [world.rank] * 16)
if servers and group.rank == 0:
    inter.Bcast(table, root=MPI.ROOT)
elif servers:
    inter.Bcast(table, root=MPI.PROC_NULL)
else:
    inter.Bcast(table, root=0)
inter.Barrier()
if world.rank == 2:
    print("table", int(table[0]), flush=True)
