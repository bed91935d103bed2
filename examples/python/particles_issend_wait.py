# standoff: title: particle migration: each rank waits for its synchronous send before it receives
# standoff: ranks: 3
# standoff: expect: deadlock
# standoff: core: 0, 1
# standoff: victims: 2
# standoff: cured: particles_issend_wait_cured
from mpi4py import MPI


def migrate(comm, leaving, partner):
    request = comm.issend(leaving, dest=partner, tag=3)
    request.wait()  # @core 0, 1
    return comm.recv(source=partner, tag=3)


def main():
    comm = MPI.COMM_WORLD
    particles = [(comm.rank, i) for i in range(2)]
    if comm.rank < 2:
        particles = particles[1:] + migrate(comm, particles[:1], 1 - comm.rank)
    total = comm.allreduce(len(particles))
    if comm.rank == 0:
        print(total, "particles", flush=True)


main()
