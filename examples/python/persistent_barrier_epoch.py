# standoff: title: one rank waits for a word before it starts the persistent barrier that the others are in
# standoff: ranks: 3
# standoff: expect: deadlock
# standoff: core: 0, 1
# standoff: victims: 2
# standoff: cured: persistent_barrier_epoch_cured
# standoff: text: Barrier_init
from mpi4py import MPI


def main():
    comm = MPI.COMM_WORLD
    epoch = comm.Barrier_init()
    for step in range(3):
        if comm.rank == 1 and step == 2:
            comm.recv(source=0, tag=1)  # @core 1
        epoch.Start()
        epoch.Wait()  # @core 0
    if comm.rank == 0:
        comm.send("last epoch", dest=1, tag=1)
        print("three epochs", flush=True)
    epoch.Free()


main()
