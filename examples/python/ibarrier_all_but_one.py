# standoff: title: a nonblocking barrier that one rank never begins
# standoff: ranks: 3
# standoff: expect: deadlock
# standoff: core: 0, 1
# standoff: victims: 2
# standoff: cured: ibarrier_all_but_one_cured
# standoff: text: Ibarrier
from mpi4py import MPI


def drain(comm):
    done = comm.Ibarrier()
    done.Wait()  # @core 0


def main():
    comm = MPI.COMM_WORLD
    if comm.rank == 1:
        comm.recv(source=0, tag=1)  # @core 1
        drain(comm)
    else:
        drain(comm)
        if comm.rank == 0:
            comm.send("next epoch", dest=1, tag=1)
            print("drained", flush=True)


main()
