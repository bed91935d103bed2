# standoff: title: a search in which ranks without a hit report nothing, and the collector waits for all in turn
# standoff: ranks: 6
# standoff: expect: deadlock
# standoff: core: 0, 2
# standoff: victims: 1, 3-5
# standoff: cured: only_hits_reported_cured
# standoff: text: rank 2
from mpi4py import MPI

TEXT = ["the sea is blue", "a sea of sand", "no water here", "sea, sea, sea", "the sea", "by the sea"]
HIT = 4


def hits(rank):
    return [at for at in range(len(TEXT[rank])) if TEXT[rank].startswith("sea", at)]


def main():
    comm = MPI.COMM_WORLD
    found = {comm.rank: hits(comm.rank)}
    if comm.rank == 0:
        found |= {rank: comm.recv(source=rank, tag=HIT) for rank in range(1, comm.size)}  # @core 0
    elif found[comm.rank]:
        comm.send(found[comm.rank], dest=0, tag=HIT)
    lines = comm.bcast(sorted(found) if comm.rank == 0 else None)  # @core 2
    if comm.rank == comm.size - 1:
        print("lines", len(lines), flush=True)


main()
