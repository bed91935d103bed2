# standoff: title: matched probes take parts of unknown size, from whoever is first
# standoff: ranks: 3
# standoff: expect: clean
# standoff: stdout: 60 particles
# standoff: check: clean
from array import array
from mpi4py import MPI

LEAVING = 7


def collect(comm, parts):
    particles = array("d")
    for _ in range(parts):
        status = MPI.Status()
        message = comm.Mprobe(source=MPI.ANY_SOURCE, tag=LEAVING, status=status)
        part = array("d", bytes(status.Get_count(MPI.BYTE)))
        message.Recv(part)
        particles.extend(part)
    return particles


def main():
    comm = MPI.COMM_WORLD
    others = comm.size - 1
    if comm.rank == 0:
        print(len(collect(comm, 2 * others)), "particles", flush=True)
    else:
        for part in range(2):
            comm.Send(array("d", [1.0]) * (10 * comm.rank), dest=0, tag=LEAVING)


main()
