# standoff: title: cured: the receive comes between issend and wait
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: 6 particles
from mpi4py import MPI


def migrate(comm, leaving, partner):
    request = comm.issend(leaving, dest=partner, tag=3)
    arriving = comm.recv(source=partner, tag=3)
    request.wait()
    return arriving


def main():
    comm = MPI.COMM_WORLD
    particles = [(comm.rank, i) for i in range(2)]
    if comm.rank < 2:
        particles = particles[1:] + migrate(comm, particles[:1], 1 - comm.rank)
    total = comm.allreduce(len(particles))
    if comm.rank == 0:
        print(total, "particles", flush=True)


main()
