# standoff: title: cured: every rank begins the barrier
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: drained
from mpi4py import MPI


def drain(comm):
    done = comm.Ibarrier()
    done.Wait()


def main():
    comm = MPI.COMM_WORLD
    if comm.rank == 1:
        drain(comm)
        comm.recv(source=0, tag=1)
    else:
        drain(comm)
        if comm.rank == 0:
            comm.send("next epoch", dest=1, tag=1)
            print("drained", flush=True)


main()
