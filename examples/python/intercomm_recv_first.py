# standoff: title: the leaders of two models each receive first over an intercommunicator
# standoff: ranks: 4
# standoff: expect: deadlock
# standoff: core: 0, 2
# standoff: victims: 1, 3
# standoff: cured: intercomm_recv_first_cured
# standoff: text: recv
from mpi4py import MPI


def exchange(local, inter, flux, send_first):
    got = None
    if local.rank == 0:
        got = inter.recv(source=0, tag=4)  # @core 0, 2
        inter.send(flux, dest=0, tag=4)
    return local.bcast(got, root=0)


def main():
    world = MPI.COMM_WORLD
    is_ocean = world.rank < 2
    local = world.Split(0 if is_ocean else 1, world.rank)
    inter = local.Create_intercomm(0, world, 2 if is_ocean else 0, tag=99)
    got = exchange(local, inter, {"heat": 1.0 if is_ocean else 2.0}, is_ocean)
    if world.rank == 0:
        assert got["heat"] == 2.0
        print("fluxes exchanged", flush=True)


main()
