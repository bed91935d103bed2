# standoff: title: every rank reports, also that it has no hit
# standoff: ranks: 6
# standoff: expect: clean
# standoff: stdout: lines 6
from mpi4py import MPI

TEXT = ["the sea is blue", "a sea of sand", "no water here", "sea, sea, sea", "the sea", "by the sea"]
HIT = 4


def hits(rank):
    return [at for at in range(len(TEXT[rank])) if TEXT[rank].startswith("sea", at)]


def main():
    comm = MPI.COMM_WORLD
    found = {comm.rank: hits(comm.rank)}
    if comm.rank == 0:
        found |= {rank: comm.recv(source=rank, tag=HIT) for rank in range(1, comm.size)}
    else:
        comm.send(found[comm.rank], dest=0, tag=HIT)
    lines = comm.bcast(sorted(found) if comm.rank == 0 else None)
    if comm.rank == comm.size - 1:
        print("lines", len(lines), flush=True)


main()
