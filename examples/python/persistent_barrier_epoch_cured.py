# standoff: title: cured: the word comes before the barrier
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: three epochs
from mpi4py import MPI


def main():
    comm = MPI.COMM_WORLD
    epoch = comm.Barrier_init()
    for step in range(3):
        if comm.rank == 0 and step == 2:
            comm.send("last epoch", dest=1, tag=1)
        if comm.rank == 1 and step == 2:
            comm.recv(source=0, tag=1)
        epoch.Start()
        epoch.Wait()
    if comm.rank == 0:
        print("three epochs", flush=True)
    epoch.Free()


main()
