# standoff: title: the master posts the receives of the results before it hands out tasks
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: results [0, 1, 4, 9, 16, 25]
# standoff: check: clean
from mpi4py import MPI

comm = MPI.COMM_WORLD
tasks = 6
if comm.rank == 0:
    ranks = [1 + task % (comm.size - 1) for task in range(tasks)]
    results = [comm.irecv(source=rank) for rank in ranks]
    for task, rank in enumerate(ranks):
        comm.send(task, dest=rank)
    print("results", [request.wait() for request in results])
else:
    for _ in range(tasks // (comm.size - 1)):
        task = comm.recv(source=0)
        comm.send(task * task, dest=0)
