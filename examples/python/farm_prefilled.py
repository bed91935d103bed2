# standoff: title: a master hands out all its tasks before it takes the first result
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: results [0, 1, 4, 9, 16, 25]
# standoff: cured: farm_prefilled_cured
# standoff: check: potential-deadlock
#
# The worker answers its first task while the master sends it the next one:
# both send to each other.
from mpi4py import MPI

comm = MPI.COMM_WORLD
tasks = 6
if comm.rank == 0:
    for task in range(tasks):
        comm.send(task, dest=1 + task % (comm.size - 1))  # @check 0
    results = [comm.recv(source=1 + task % (comm.size - 1)) for task in range(tasks)]
    print("results", results)
else:
    for _ in range(tasks // (comm.size - 1)):
        task = comm.recv(source=0)
        comm.send(task * task, dest=0)  # @check 1
