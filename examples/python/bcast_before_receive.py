# standoff: title: the root broadcasts and then sends the mesh; a worker wants the mesh before it broadcasts
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: mesh of 4, step 0.5
# standoff: cured: bcast_before_receive_cured
# standoff: check: potential-deadlock
#
# The root of a small broadcast goes on before the others have come, in all
# libraries there are. MPI lets it wait.
from array import array
from mpi4py import MPI

comm = MPI.COMM_WORLD
step = array("d", [0.5 if comm.rank == 0 else 0.0])
if comm.rank == 0:
    comm.Bcast(step, root=0)  # @check 0
    comm.send([1, 2, 3, 4], dest=1)
elif comm.rank == 1:
    mesh = comm.recv(source=0)  # @check 1
    comm.Bcast(step, root=0)
    print(f"mesh of {len(mesh)}, step {step[0]}")
else:
    comm.Bcast(step, root=0)
